//! What is written at a provider is read back: by get, by lists over several pages and by search, after it was created, changed and deleted. The
//! manifests are the shipped ones. The servers are of others: each module says where its server does less than the vendor, and what its script
//! does about it. `journeys.toml` lists the operations of each journey, for the coverage of `atom-core/conformance` too.

mod github;
mod google;
mod linear;
mod microsoft;
mod slack;
mod stripe;

use super::browser::{Choice, forms, visit};
use super::server::{Alone, Server};
use crate::support::*;
use atom_core::*;
use serde::Deserialize;
use std::collections::{BTreeMap, BTreeSet};

/// The secret of the host's client, of characters that mean something in a form and in a header.
const SECRET: &str = "a secret: 50% & more";

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Journeys {
    journey: Vec<Journey>,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Journey {
    test: String,
    provider: String,
    /// For the coverage.
    #[allow(dead_code)]
    server: String,
    /// Those of the manifest, with what chooses a variant of one: `tasks.list+search`.
    operations: Vec<String>,
}

/// A server of one test, and the installation that it is a provider of.
struct Place {
    server: Alone,
    provider: &'static str,
    client_id: &'static str,
}

impl Place {
    /// Nothing where the servers of others are not to run.
    fn start(provider: &'static str, script: &str, client_id: &'static str) -> Option<Self> {
        Some(Self { server: Alone(Server::start(script)?), provider, client_id })
    }

    fn app(&self) -> ProviderApp {
        ProviderApp {
            provider: self.provider.into(),
            client_id: self.client_id.into(),
            client_secret: Some(SECRET.into()),
            redirect_uri: format!("https://app.example.com/callback/{}", self.provider),
            development_endpoint: Some(self.server.0.url.clone()),
            export_tokens: Some(true),
            ..Default::default()
        }
    }

    async fn scope(&self, database: &Database) -> (Atom, Scope) {
        let atom = database.builder().provider(self.app()).open().await.unwrap();
        let (_, scope) = sign_up(&atom, "ada@example.com").await;
        (atom, scope)
    }

    /// Ada consents on the provider's page, where she is the one whose form has this text.
    async fn consent(&self, scope: &Scope, name: &str) -> Connection {
        let authorization = scope.connections().start(start(self.provider)).await.unwrap();
        let answer = |page: &str| {
            let mine = page.split("<form ").skip(1).position(|form| form.contains(name));
            let mine = mine.and_then(|at| forms(page).into_iter().nth(at));
            Choice::Submit(mine.unwrap_or_else(|| panic!("{name} is not among: {page}")))
        };
        let callback = visit(&authorization.url, answer).await;
        scope.connections().complete(callback).await.unwrap()
    }

    /// Connects by what the user gives.
    async fn connect(&self, scope: &Scope, method: &str, fields: &[(&str, &str)]) -> Result<Connection> {
        let fields = fields.iter().map(|(name, value)| ((*name).to_owned(), Secret::from(*value))).collect();
        let with = ConnectWith { provider: self.provider.into(), method: Some(method.into()), fields, ..Default::default() };
        scope.connections().connect(with).await
    }
}

/// The pages of a list, to the last.
async fn pages<T>(mut next: impl AsyncFnMut(Option<String>) -> (Vec<T>, Option<String>)) -> Vec<Vec<T>> {
    let (mut pages, mut cursor) = (Vec::new(), None);
    while pages.len() < 20 {
        let (items, more) = next(cursor).await;
        pages.push(items);
        if more.is_none() {
            return pages;
        }
        cursor = more;
    }
    panic!("the list has no end");
}

fn sizes<T>(pages: &[Vec<T>]) -> Vec<usize> {
    pages.iter().map(Vec::len).collect()
}

/// The operations that succeeded are those that `journeys.toml` has for the test.
async fn was_whole(test: &str, connection: &Connection) {
    let known: Journeys = toml::from_str(include_str!("journeys.toml")).unwrap();
    let journey = known.journey.into_iter().find(|journey| journey.test == test).expect("journeys.toml names the test");
    let names = vendor_ops(&journey.provider);
    let listed: BTreeSet<&str> = journey.operations.iter().map(|name| names[name].as_str()).collect();
    let usage = connection.usage(UsageQuery::default()).await.unwrap();
    let succeeded = usage.operations.iter().filter(|of| of.counts.calls > of.counts.failures.total);
    // Not what is no operation of the manifest.
    let succeeded = succeeded.map(|of| of.operation.as_str()).filter(|name| names.values().any(|known| known == name));
    assert_eq!(succeeded.collect::<BTreeSet<_>>(), listed, "{test}");
}

/// What the vendor calls each operation of a manifest.
fn vendor_ops(provider: &str) -> BTreeMap<String, String> {
    let file = format!("{}/providers/{provider}.toml", env!("CARGO_MANIFEST_DIR"));
    let manifest: toml::Table = std::fs::read_to_string(file).unwrap().parse().unwrap();
    let services = manifest["services"].as_table().unwrap().values();
    let operations = services.filter_map(|service| service["operations"].as_table()).flatten();
    operations.map(|(name, operation)| (name.clone(), operation["vendor_op"].as_str().unwrap().to_owned())).collect()
}
