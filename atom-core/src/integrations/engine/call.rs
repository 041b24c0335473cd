//! An operation of a connection's provider, with its inputs.

use super::pages::{self, Place};
use crate::connect::Connection;
use crate::providers::{Answer, BEFORE, Facts, Manifest, Operation, PAGING, Record, Service, Vars};
use crate::{Error, ErrorKind, Result};
use serde::Serialize;
use serde_json::{Map, Value};
use url::Url;

/// One call.
pub(super) struct Call<'a> {
    pub(super) connection: &'a Connection,
    pub(super) service: &'a Service,
    /// The name that the caller used.
    pub(super) name: &'a str,
    pub(super) operation: &'a Operation,
    /// What placeholders stand for: what the caller gave, defaults, facts.
    pub(super) vars: Vars,
    pub(super) facts: Facts,
    /// What the caller gave and what is known of the account, for records and for the operation that fetches what this one names.
    pub(super) given: Map<String, Value>,
    /// The next page is at this address.
    pub(super) url: Option<Url>,
    /// Bytes to send, instead of an input.
    pub(super) content: Option<Vec<u8>>,
}

/// An input as an object, without what is not given.
pub(super) fn object(input: &impl Serialize) -> Result<Map<String, Value>> {
    let input =
        serde_json::to_value(input).map_err(|e| Error::internal("input", "an input cannot be serialized").with_source(e))?;
    let Value::Object(mut input) = input else { return Err(Error::invalid("malformed_input", "an input is an object")) };
    input.retain(|_, value| !value.is_null());
    Ok(input)
}

impl<'a> Call<'a> {
    /// Chooses the variant, and refuses inputs that nothing would use.
    pub(super) async fn new(connection: &'a Connection, name: &'a str, input: &impl Serialize) -> Result<Self> {
        Self::of(connection, name, object(input)?).await
    }

    async fn of(connection: &'a Connection, name: &'a str, given: Map<String, Value>) -> Result<Self> {
        let manifest = &connection.app.manifest;
        let unsupported = || {
            let text = format!("{} has no `{name}`: ask what it has before offering it", manifest.title);
            Error::new(ErrorKind::Unsupported, "unsupported_operation", text).with_provider(&manifest.name)
        };
        let service = manifest.service_of(name).ok_or_else(unsupported)?;
        let (_, operation) = service.choose(name, |input| given.contains_key(input)).ok_or_else(unsupported)?;
        let fetch = operation.fetch.as_ref().and_then(|name| service.operations.get(name));
        // Whoever turns a page repeats the filter, which the cursor has in it already.
        let began = service.choose(name, |input| input != "cursor" && given.contains_key(input));
        let began = began.map(|(_, began)| began).filter(|_| given.contains_key("cursor"));
        let is_used = |input: &String| {
            PAGING.contains(&input.as_str())
                || operation.inputs.contains(input)
                || operation.ignore.contains(input)
                || fetch.is_some_and(|fetch| fetch.inputs.contains(input))
                || began.is_some_and(|began| began.inputs.contains(input))
        };
        if let Some(unused) = given.keys().find(|input| operation.hook.is_none() && !is_used(input)) {
            return Err(unsupported_input(manifest, name, unused));
        }

        let mut vars = given.clone();
        let mut url = None;
        let cursor = vars.remove("cursor");
        match pages::begin(operation, cursor.as_ref(), name)? {
            Place::Vars(more) => vars.extend(more),
            Place::Url(next) => url = Some(next),
        }
        for (name, value) in &operation.defaults {
            vars.entry(name.clone()).or_insert_with(|| value.clone());
        }
        let unfit = operation.patterns.iter().find(|(input, pattern)| {
            vars.get(*input).is_some_and(|value| !value.as_str().is_some_and(|value| pattern.fits(value)))
        });
        if let Some((input, pattern)) = unfit {
            let text = format!("{} takes no such `{input}` for `{name}`: it looks like `{}`", manifest.title, pattern.text);
            return Err(Error::invalid("malformed_input", text).with_provider(&manifest.name));
        }
        let facts = connection.facts().await?;
        let mut given = given;
        for (name, value) in &facts {
            vars.entry(name.clone()).or_insert_with(|| value.as_str().into());
            given.entry(name.clone()).or_insert_with(|| value.as_str().into());
        }
        let mut call = Self { connection, service, name, operation, vars, facts, given, url, content: None };
        if let Some(unfit) = operation.templates().into_iter().find_map(|template| template.unfit(&call.vars)) {
            return Err(unsupported_input(manifest, name, unfit));
        }
        if let Some(reader) = operation.before.as_ref().and_then(|name| call.follower(name)) {
            let reader = reader.with_id(call.vars.get("id").cloned());
            // Few operations have one: it does not make the others' futures longer.
            let answer = Box::pin(reader.answer()).await?;
            let vendor = reader.take_item(&answer)?;
            call.vars.insert(BEFORE.into(), reader.untyped(&vendor)?);
        }
        Ok(call)
    }

    pub(super) fn manifest(&self) -> &'a Manifest {
        &self.connection.app.manifest
    }

    pub(super) fn is_list(&self) -> bool {
        self.operation.is_list()
    }

    pub(super) fn is_text(&self) -> bool {
        matches!(self.operation.answer, Answer::Text | Answer::Bytes)
    }

    /// How many items the caller, or the manifest, asks for.
    pub(super) fn page_size(&self) -> Option<i64> {
        self.vars.get("page_size").and_then(Value::as_i64)
    }

    /// The same within the vendor's own bound; nothing where the vendor cannot be told.
    pub(super) fn asked_size(&self) -> Option<i64> {
        let size = self.page_size().filter(|_| self.operation.inputs.contains("page_size"))?;
        Some(self.operation.max_page_size.map_or(size, |max| size.min(max)))
    }

    /// The table that records are read through.
    pub(super) fn record(&self) -> Option<&'a Record> {
        self.operation.record.as_ref().and_then(|name| self.service.records.get(name))
    }

    /// The token set that its requests are authenticated with.
    pub(super) fn token_set(&self) -> Option<&'a str> {
        self.operation.token_set.as_deref().or(self.service.token_set.as_deref())
    }

    /// The operation that reads what this one only names.
    pub(super) fn fetching(&self) -> Option<Call<'a>> {
        self.follower(self.operation.fetch.as_ref()?)
    }

    /// The operation that completes what this one began.
    pub(super) fn then(&self) -> Option<Call<'a>> {
        self.follower(self.operation.then.as_ref()?)
    }

    fn follower(&self, name: &str) -> Option<Call<'a>> {
        let (name, operation) = self.service.operations.get_key_value(name)?;
        Some(Call {
            name,
            operation,
            vars: Vars::new(),
            facts: self.facts.clone(),
            given: self.given.clone(),
            url: None,
            content: None,
            ..*self
        })
    }

    /// A request that is a part of this one, with further values. Manifests name only steps that are there.
    pub(super) fn step(&self, name: &str, more: Vars) -> Call<'a> {
        let mut vars = self.vars.clone();
        vars.extend(more);
        let operation = self.service.steps.get(name).unwrap_or(self.operation);
        Call { operation, vars, facts: self.facts.clone(), given: self.given.clone(), url: None, content: None, ..*self }
    }

    /// The same operation for one id.
    pub(super) fn with_id(&self, id: Option<Value>) -> Call<'a> {
        let mut vars = self.given.clone();
        for paging in PAGING {
            vars.remove(paging);
        }
        // An empty answer is about what the caller named.
        if let Some(id) = id {
            vars.insert("id".into(), id);
        }
        for (name, value) in &self.operation.defaults {
            vars.entry(name.clone()).or_insert_with(|| value.clone());
        }
        for (name, value) in &self.facts {
            vars.entry(name.clone()).or_insert_with(|| value.as_str().into());
        }
        Call { vars, facts: self.facts.clone(), given: Map::new(), url: None, content: None, ..*self }
    }

    /// The vendor's answer does not fit the manifest.
    pub(super) fn malformed(&self, why: &str) -> Error {
        let manifest = self.manifest();
        let text = format!("{} answered `{}` with {why}", manifest.title, self.operation.vendor_op);
        Error::new(ErrorKind::Provider, "answer_malformed", text).with_provider(&manifest.name)
    }

    /// An input that this operation cannot do without is not there.
    pub(super) fn missing(&self) -> Error {
        let text = format!("an input that `{}` needs is missing or empty", self.operation.vendor_op);
        Error::invalid("missing_input", text)
    }

    /// An input has a value that the vendor has nothing for.
    pub(super) fn unsupported(&self, input: &str) -> Error {
        unsupported_input(self.manifest(), self.name, input)
    }
}

fn unsupported_input(manifest: &Manifest, operation: &str, input: &str) -> Error {
    let text = format!("{} cannot take `{input}`, or this value of it, for `{operation}`: leave it out", manifest.title);
    Error::new(ErrorKind::Unsupported, "unsupported_input", text).with_provider(&manifest.name)
}
