//! An installation that is connected to the double.

use super::Check;
use crate::double::{Account, CLIENT_ID, CLIENT_SECRET, Double, Expected, NOBODY, REDIRECT_URI, Recorded, Reply};
use crate::inputs::Inputs;
use crate::manifest::{Manifest, Operation};
use crate::sign_in::Step;
use crate::sources::Descriptions;
use atom_core::{Atom, ConnectWith, Connection, Error, Json, LocalKey, NewAccount, ProviderApp, Scope, StartConnection};
use ring::hmac;
use serde_json::{Map, Value};
use url::Url;

pub(crate) struct Bench {
    pub(super) double: Double,
    scopes: Vec<Scope>,
    /// It ends with the bench.
    _atom: Atom,
}

impl Bench {
    pub(crate) async fn start(
        manifest: Manifest,
        descriptions: Descriptions,
        inputs: Inputs,
        users: usize,
    ) -> Result<Self, String> {
        let provider = manifest.name.clone();
        let text = manifest.text.clone();
        let double = Double::start(manifest, descriptions, inputs).await?;
        let app = ProviderApp {
            provider: provider.clone(),
            client_id: CLIENT_ID.into(),
            client_secret: Some(CLIENT_SECRET.into()),
            redirect_uri: REDIRECT_URI.into(),
            development_endpoint: Some(double.url.clone()),
            // As it is in the folder, so that a change of it needs no compiler.
            manifest: Some(text),
            ..Default::default()
        };
        let said = |e: Error| format!("{provider}: {e}");
        let key = LocalKey::generate().map_err(said)?;
        let atom = Atom::builder("memory:").key(key).provider(app).open().await.map_err(said)?;
        let mut scopes = Vec::new();
        for user in 0..users {
            let account = NewAccount {
                email: format!("ada{user}@example.com"),
                password: "an engine of brass and thought".into(),
                ..Default::default()
            };
            let session = atom.accounts().sign_up(account).await.map_err(said)?;
            scopes.push(atom.authenticate(session.access_token.clone()).await.map_err(said)?);
        }
        Ok(Self { double, scopes, _atom: atom })
    }

    pub(super) fn provider(&self) -> &str {
        &self.double.world.manifest.name
    }

    pub(super) fn grade(&self) -> &str {
        &self.double.world.descriptions.grade
    }

    /// Connects the account of a number, as its owner would.
    pub(super) async fn connect(&self, number: usize) -> Result<Connection, String> {
        let (manifest, inputs) = (&self.double.world.manifest, &self.double.world.inputs);
        let (provider, said) = (self.provider(), |e: Error| format!("does not connect: {e}"));
        let connections = self.scopes[(number - 1) / super::PER_USER].connections();
        let text = |value: Value| {
            value.as_str().map_or_else(|| value.to_string(), str::to_owned).replace("{account}", &format!("acct{number}x"))
        };
        if !manifest.has_consent() {
            let methods = manifest.table["methods"].as_object().into_iter().flatten();
            let (method, table) = methods.min_by_key(|(_, table)| table["type"] != "api_key").ok_or("has no way to connect")?;
            let fields = table["fields"].as_array().into_iter().flatten().filter_map(|field| field["name"].as_str());
            let mut fields: Vec<&str> = fields.collect();
            if fields.is_empty() {
                fields.push("api_key");
            }
            let fields = fields.into_iter().map(|name| {
                let given = inputs.fact(provider, name);
                let given = if given == "conformance" { "{account}-access-0".into() } else { given };
                (name.to_owned(), text(given).into())
            });
            let request = ConnectWith {
                provider: provider.into(),
                method: Some(method.clone()),
                fields: fields.collect(),
                ..Default::default()
            };
            return connections.connect(request).await.map_err(said);
        }
        let asked = manifest.table["inputs"].as_object().into_iter().flatten();
        let asked = asked.map(|(name, _)| (name.clone(), text(inputs.fact(provider, name))));
        let request = StartConnection { provider: provider.into(), inputs: Some(asked.collect()), ..Default::default() };
        let authorization = connections.start(request).await.map_err(said)?;
        let begun = Url::parse(&authorization.url).map_err(|e| e.to_string())?;
        let state =
            begun.query_pairs().find(|(name, _)| name == "state").map(|(_, value)| value.into_owned()).unwrap_or_default();
        let sent = Recorded { method: "GET".into(), path: begun.path().into(), ..Recorded::default() };
        let sent = Recorded { query: begun.query_pairs().into_owned().collect(), ..sent };
        self.double.world.account(number, |account| {
            account.begun = sent.query.iter().cloned().collect();
            account.sign_in.push((Step::Authorize, sent));
        });
        let mut callback = Url::parse(REDIRECT_URI).map_err(|e| e.to_string())?;
        callback.query_pairs_mut().append_pair("state", &state).append_pair("code", &format!("acct{number}x-code"));
        if let Some(issuer) = manifest.table["auth"]["issuer"].as_str() {
            callback.query_pairs_mut().append_pair("iss", issuer);
        }
        for (fact, name) in manifest.table["auth"]["capture_callback"].as_object().into_iter().flatten() {
            let value = text(inputs.fact(provider, fact));
            callback.query_pairs_mut().append_pair(name.as_str().unwrap_or_default(), &value);
        }
        if let Some(param) = manifest.table["auth"]["callback"]["hmac_param"].as_str() {
            let mut signed: Vec<_> = callback.query_pairs().into_owned().collect();
            signed.sort();
            let text = url::form_urlencoded::Serializer::new(String::new()).extend_pairs(signed).finish();
            let tag = hmac::sign(&hmac::Key::new(hmac::HMAC_SHA256, CLIENT_SECRET.as_bytes()), text.as_bytes());
            let hex: String = tag.as_ref().iter().map(|byte| format!("{byte:02x}")).collect();
            callback.query_pairs_mut().append_pair(param, &hex);
        }
        connections.complete(callback.into()).await.map_err(said)
    }
}

impl Bench {
    /// The first request of one call, whatever becomes of its answer.
    pub(crate) async fn record(&self, number: usize, operation: &str, input: &Value) -> Result<Recorded, String> {
        let connection = self.connect(number).await?;
        self.double.world.account(number, |account| account.is_recorder = true);
        let called = connection.call(operation.to_owned(), Json(input.clone())).await;
        let requests = self.double.world.account(number, |account| std::mem::take(&mut account.requests));
        requests.into_iter().next().ok_or_else(|| format!("nothing was sent: {:?}", called.map(|_| ())))
    }
}

/// One operation, on an account of its own.
pub(super) struct Trial<'a> {
    pub(super) bench: &'a Bench,
    pub(super) operation: &'a Operation,
    pub(super) siblings: &'a [Operation],
    pub(super) expected: Expected,
    pub(super) faults: Vec<(Check, String)>,
    /// The request of the full call, once it was right.
    pub(super) recorded: Option<Recorded>,
    connection: Connection,
    number: usize,
}

impl<'a> Trial<'a> {
    pub(super) async fn new(
        bench: &'a Bench,
        operation: &'a Operation,
        siblings: &'a [Operation],
        number: usize,
    ) -> Result<Self, String> {
        let (world, base) = (&bench.double.world, operation.base().0);
        let expected = world.expected(operation);
        // With it: its next pages, and what reads the records that its answer only names.
        let is_with = |other: &&Operation| {
            (other.is_continuation() && other.base().0 == base)
                || [operation.fetch(), operation.then(), operation.before()].contains(&Some(other.name.as_str()))
        };
        let others = siblings.iter().filter(is_with).map(|other| world.expected(other));
        let all: Vec<Expected> = std::iter::once(expected.clone()).chain(others).collect();
        let connection = bench.connect(number).await.map_err(|why| {
            let said = |account: &mut Account| std::mem::take(&mut account.faults).join("; ");
            format!("{why} {}", [NOBODY, number].map(|number| world.account(number, said)).join(" "))
        })?;
        world.account(number, |account| account.expected = all);
        Ok(Self { bench, operation, siblings, expected, faults: Vec::new(), recorded: None, connection, number })
    }

    pub(super) fn fault(&mut self, check: Check, why: impl std::fmt::Display) {
        self.faults.push((check, format!("{}: {why}", self.operation.name)));
    }

    /// Makes a call that is answered with these replies, and returns what came of it with the requests that it took. What the double found
    /// wrong is a fault.
    pub(super) async fn call(
        &mut self,
        check: Check,
        input: &Map<String, Value>,
        replies: Vec<Reply>,
    ) -> (Result<Value, Error>, Vec<Recorded>) {
        let world = &self.bench.double.world;
        world.account(self.number, |account| {
            account.replies = replies.into();
            account.requests.clear();
        });
        let name = self.operation.base().0.to_owned();
        let called = self.connection.call(name, Json(Value::Object(input.clone()))).await;
        let (requests, wrong) = world.account(self.number, |account| {
            account.replies.clear();
            (std::mem::take(&mut account.requests), std::mem::take(&mut account.faults))
        });
        let mut seen: Vec<String> = Vec::new();
        for why in wrong {
            // A call that is repeated fails the same way again.
            if !seen.contains(&why) {
                self.fault(check, &why);
                seen.push(why);
            }
        }
        (called.map(|json| json.0), requests)
    }

    /// How often the account's tokens were refreshed since this was asked last.
    pub(super) fn refreshes(&self) -> usize {
        self.bench.double.world.account(self.number, |account| std::mem::take(&mut account.refreshes))
    }

    pub(super) fn minimal_input(&self) -> Map<String, Value> {
        self.bench.double.world.inputs.minimal(self.bench.provider(), self.operation)
    }

    pub(super) fn full_input(&self) -> Map<String, Value> {
        self.bench.double.world.inputs.full(self.bench.provider(), self.operation, self.siblings)
    }
}
