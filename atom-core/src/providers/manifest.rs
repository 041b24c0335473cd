//! One provider, as a manifest describes it.

use super::auth::{Identity, InputSpec, OAuth2};
use super::errors::Errors;
use super::fields::Record;
use super::hosts::{Facts, Host};
use super::limits::Limits;
use super::methods::{ConnectMethod, How};
use super::operation::{Operation, Service};
use crate::{Error, Result};
use serde::Deserialize;
use std::collections::{BTreeMap, BTreeSet};

/// The name of the method that `[auth]` describes.
pub(crate) const OAUTH2: &str = "oauth2";

/// The name of a connection's first token set.
pub(super) const DEFAULT_SET: &str = "default";

/// One provider.
#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct Manifest {
    pub(crate) schema: i64,
    pub(crate) name: String,
    /// The name to show.
    pub(crate) title: String,
    /// The vendor's documentation that the manifest was checked against, and when.
    pub(crate) docs: String,
    pub(crate) verified_at: String,
    /// Words to find it by.
    #[serde(default)]
    pub(crate) categories: Vec<String>,
    /// The only hosts that requests of this provider go to.
    pub(crate) hosts: Vec<Host>,
    /// Where content may be fetched from, without the credential, when the vendor leads there.
    #[serde(default)]
    pub(crate) download_hosts: Vec<Host>,
    /// Where pieces of content may be sent, without the credential, when the vendor says so.
    #[serde(default)]
    pub(crate) upload_hosts: Vec<Host>,
    /// What a person says about the account before connecting.
    #[serde(default)]
    pub(crate) inputs: BTreeMap<String, InputSpec>,
    /// Sent with every request for data.
    #[serde(default)]
    pub(crate) headers: BTreeMap<String, String>,
    /// The method `oauth2`.
    pub(crate) auth: Option<OAuth2>,
    /// The other ways to connect, by name.
    #[serde(default)]
    pub(crate) methods: BTreeMap<String, ConnectMethod>,
    pub(crate) identity: Option<Identity>,
    #[serde(default)]
    pub(crate) errors: Errors,
    #[serde(default)]
    pub(crate) limits: Limits,
    #[serde(default)]
    pub(crate) services: BTreeMap<String, Service>,
    /// Whether requests depend on facts about the account.
    #[serde(skip)]
    pub(crate) uses_facts: bool,
}

impl Manifest {
    /// Reads and checks a manifest. `origin` is its file or the provider it was given for.
    ///
    /// Errors name the line and the field: a manifest is written by people.
    pub(crate) fn parse(origin: &str, text: &str) -> Result<Self> {
        let manifest: Self = toml::from_str(text).map_err(|error| malformed(origin, &located(&error, text)))?;
        manifest.finish(origin)
    }

    /// The same for a manifest that was put together and has no lines.
    pub(super) fn from_table(origin: &str, table: toml::Table) -> Result<Self> {
        let manifest: Self =
            table.try_into().map_err(|error: toml::de::Error| malformed(origin, &error.to_string().replace('\n', " ")))?;
        manifest.finish(origin)
    }

    fn finish(mut self, origin: &str) -> Result<Self> {
        self.complete().and_then(|()| self.check()).map_err(|why| malformed(origin, &format!(" {why}")))?;
        Ok(self)
    }

    /// Puts in what parts of it name.
    fn complete(&mut self) -> std::result::Result<(), String> {
        self.methods.values_mut().for_each(ConnectMethod::complete);
        for (name, service) in &mut self.services {
            service.complete().map_err(|why| format!("services.{name}.{why}"))?;
        }
        let facts: BTreeSet<_> = self.facts().map(str::to_owned).collect();
        let in_service = |service: &Service| {
            let mut inputs = service.operations.values().chain(service.steps.values()).flat_map(|operation| &operation.inputs);
            let mut given = service.records.values().flat_map(Record::given_names);
            service.base_url.names().next().is_some()
                || inputs.any(|name| facts.contains(name))
                || given.any(|name| facts.contains(name))
        };
        self.uses_facts = self.hosts.iter().any(|host| !host.is_fixed()) || self.services.values().any(in_service);
        Ok(())
    }

    /// The names of the facts that may be known of an account.
    pub(crate) fn facts(&self) -> impl Iterator<Item = &str> {
        let auth = self.auth.iter().flat_map(|auth| auth.capture.keys().chain(auth.capture_callback.keys()));
        let methods = self.methods.values().filter_map(|method| method.identity.as_ref());
        let identity = self
            .identity
            .iter()
            .chain(methods)
            .flat_map(|identity| identity.facts.keys().chain(identity.more.iter().flat_map(|more| more.facts.keys())));
        let signed = self.methods.values().flat_map(|method| match &method.how {
            How::SignedJwt(signed) => Some(signed.capture.keys()),
            _ => None,
        });
        self.inputs.keys().chain(auth).chain(identity).chain(signed.flatten()).map(String::as_str)
    }

    /// Whether requests may go to a host, for an account with these facts.
    pub(crate) fn allows(&self, host: &str, facts: &Facts) -> bool {
        self.hosts.iter().any(|known| known.fits(host, facts))
    }

    /// Whether the vendor may lead to a host for content.
    pub(crate) fn leads_to(&self, host: &str) -> bool {
        self.download_hosts.iter().any(|known| known.fits(host, &Facts::new()))
    }

    /// Whether the vendor may have content sent to a host.
    pub(crate) fn uploads_to(&self, host: &str) -> bool {
        self.upload_hosts.iter().any(|known| known.fits(host, &Facts::new()))
    }

    /// What a token set is asked for: the scopes of the services that use it, and the base scopes for the first.
    pub(crate) fn scopes_of(&self, set: &str) -> impl Iterator<Item = &String> {
        let base = self.auth.iter().filter(move |_| set == DEFAULT_SET).flat_map(|auth| &auth.base_scopes);
        let uses = move |service: &&Service| service.token_set.as_deref().unwrap_or(DEFAULT_SET) == set;
        base.chain(self.services.values().filter(uses).flat_map(|service| &service.scopes))
    }

    /// The service that carries out an operation.
    pub(crate) fn service_of(&self, operation: &str) -> Option<&Service> {
        self.services.values().find(|service| service.operations.contains_key(operation))
    }

    /// The operations that are called by their names, with their services.
    pub(crate) fn operations(&self) -> impl Iterator<Item = (&str, &Service, &str, &Operation)> {
        let named = |(service_name, service)| {
            let (service_name, service): (&String, &Service) = (service_name, service);
            service.named().map(move |(name, operation)| (service_name.as_str(), service, name, operation))
        };
        self.services.iter().flat_map(named)
    }
}

fn malformed(origin: &str, why: &str) -> Error {
    Error::invalid("malformed_manifest", format!("manifest `{origin}`,{}", why.trim_end()))
}

/// The line, what stands there, and what is wrong with it.
fn located(error: &toml::de::Error, text: &str) -> String {
    let Some(span) = error.span() else { return format!(" {}", error.message()) };
    let before = text.get(..span.start).unwrap_or(text);
    let line = before.matches('\n').count();
    let content: String = text.lines().nth(line).unwrap_or_default().trim().chars().take(120).collect();
    format!(" line {}: `{content}`: {}", line + 1, error.message())
}

#[cfg(test)]
#[path = "manifest_tests.rs"]
mod tests;
