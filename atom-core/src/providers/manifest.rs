//! The grammar of a manifest.

use super::fields::Record;
use super::methods::{ConnectMethod, How};
use super::path::Path;
use super::template::{Template, TemplateJson};
use crate::http_client::is_loopback;
use crate::{Error, Result};
use serde::Deserialize;
use serde::de::{Deserializer, MapAccess, SeqAccess, Visitor, value::MapAccessDeserializer};
use std::collections::BTreeMap;
use std::fmt;
use url::Url;

/// The version of the grammar.
const SCHEMA: i64 = 1;
/// The name of the method that `[auth]` describes.
pub(crate) const OAUTH2: &str = "oauth2";
/// The name of a connection's first token set.
const DEFAULT_SET: &str = "default";

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
    /// The only hosts that requests of this provider go to.
    pub(crate) hosts: Vec<String>,
    /// The method `oauth2`.
    pub(crate) auth: Option<OAuth2>,
    /// The other ways to connect, by name.
    #[serde(default)]
    pub(crate) methods: BTreeMap<String, ConnectMethod>,
    pub(crate) identity: Option<Identity>,
    #[serde(default)]
    pub(crate) errors: Errors,
    #[serde(default)]
    pub(crate) services: BTreeMap<String, Service>,
}

/// How to authorize: OAuth 2 with code and PKCE.
#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct OAuth2 {
    /// Compared with the `iss` of a callback (RFC 9207).
    pub(crate) issuer: Option<String>,
    /// Whether a callback without `iss` is refused.
    #[serde(default)]
    pub(crate) issuer_required: bool,
    pub(crate) authorize_url: Url,
    /// Fixed parameters of the authorization request, such as what makes the vendor hand out a refresh token.
    #[serde(default)]
    pub(crate) authorize_query: BTreeMap<String, String>,
    pub(crate) token_url: Url,
    pub(crate) revoke_url: Option<Url>,
    /// Where to ask about a token (RFC 7662), for a vendor whose answers do not say how long theirs live, or whose 401 may mean something else.
    pub(crate) introspection_url: Option<Url>,
    #[serde(default)]
    pub(crate) client_auth: ClientAuth,
    #[serde(default = "space")]
    pub(crate) scope_separator: String,
    /// Scopes that every connection asks for.
    #[serde(default)]
    pub(crate) base_scopes: Vec<String>,
    /// How long an access token lives when the vendor does not say, in seconds.
    pub(crate) default_lifetime: Option<i64>,
    /// A grant that nobody has used for so many hours is used, because the vendor ends those that are forgotten.
    pub(crate) keep_alive_hours: Option<u32>,
    /// Further token sets of a connection, by name.
    #[serde(default)]
    pub(crate) token_sets: BTreeMap<String, TokenSetSource>,
}

/// Where a further token set comes from.
#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields, rename_all = "snake_case", tag = "from")]
pub(crate) enum TokenSetSource {
    /// It stands in the answer that holds the first one, and is renewed on its own.
    Answer { path: Path },
    /// It is asked for with the refresh token of the first one, with these parameters: scope, audience, resource.
    RefreshToken { params: BTreeMap<String, String> },
}

/// Where the client's id and secret go in a token request.
#[derive(Clone, Copy, Debug, Default, PartialEq, Deserialize)]
#[serde(rename_all = "snake_case")]
pub(crate) enum ClientAuth {
    #[default]
    Body,
    Basic,
    /// The grant itself says who asks.
    None,
}

pub(super) fn space() -> String {
    " ".into()
}

/// Whose account it is.
#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct Identity {
    pub(crate) url: Url,
    pub(crate) account_id: Path,
    pub(crate) email: Option<Path>,
    pub(crate) label: Option<Path>,
    /// Facts to keep, by name: tenant, site, data centre.
    #[serde(default)]
    pub(crate) facts: BTreeMap<String, Path>,
}

/// How the vendor says no.
#[derive(Debug, Default, Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct Errors {
    /// Where the vendor's own error code stands; the first path that leads anywhere.
    #[serde(default)]
    pub(crate) code: Vec<Path>,
    #[serde(default)]
    pub(crate) rules: Vec<ErrorRule>,
}

/// A status and a code that mean something other than usual.
#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct ErrorRule {
    pub(crate) status: Option<u16>,
    #[serde(default)]
    pub(crate) codes: Vec<String>,
    pub(crate) kind: RuleKind,
}

/// What a rule can make of an error.
#[derive(Clone, Copy, Debug, PartialEq, Deserialize)]
#[serde(rename_all = "snake_case")]
pub(crate) enum RuleKind {
    RateLimited,
    ReauthRequired,
    NotFound,
    Conflict,
    Unavailable,
    Provider,
}

/// One product of the provider.
#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct Service {
    pub(crate) base_url: Url,
    /// What a connection that uses this service asks for.
    #[serde(default)]
    pub(crate) scopes: Vec<String>,
    /// The token set that its requests are authenticated with. Left out: the first.
    pub(crate) token_set: Option<String>,
    #[serde(default)]
    pub(crate) records: BTreeMap<String, Record>,
    #[serde(default)]
    pub(crate) operations: BTreeMap<String, Operation>,
}

/// How a unified operation is carried out.
#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct Operation {
    /// The vendor's own name of the call.
    pub(crate) vendor_op: String,
    pub(crate) method: Method,
    pub(crate) path: Template,
    #[serde(default)]
    pub(crate) query: BTreeMap<String, Param>,
    pub(crate) body: Option<Body>,
    pub(crate) effect: Effect,
    /// The token set, where it is another than the service's.
    pub(crate) token_set: Option<String>,
    /// Values for inputs that the caller left out.
    #[serde(default)]
    pub(crate) defaults: BTreeMap<String, serde_json::Value>,
    /// The record type of the answer, by its name in `records`.
    pub(crate) record: Option<String>,
    /// For a list: where its items stand, and where the cursor of the next page.
    pub(crate) items: Option<Path>,
    pub(crate) next: Option<Path>,
    /// Calls this operation with the `id` of the answer, or of each item, where the vendor returns only ids.
    pub(crate) fetch: Option<String>,
    #[serde(default)]
    pub(crate) answer: Answer,
}

#[derive(Clone, Copy, Debug, PartialEq, Deserialize)]
#[serde(rename_all = "UPPERCASE")]
pub(crate) enum Method {
    Get,
    Post,
    Put,
    Patch,
    Delete,
}

impl From<Method> for reqwest::Method {
    fn from(method: Method) -> Self {
        match method {
            Method::Get => Self::GET,
            Method::Post => Self::POST,
            Method::Put => Self::PUT,
            Method::Patch => Self::PATCH,
            Method::Delete => Self::DELETE,
        }
    }
}

/// What a repetition would do.
#[derive(Clone, Copy, Debug, PartialEq, Deserialize)]
#[serde(rename_all = "snake_case")]
pub(crate) enum Effect {
    /// Nothing: it only reads.
    Read,
    /// The same as once.
    Idempotent,
    /// It again: never repeated by us.
    Once,
}

/// What comes back.
#[derive(Clone, Copy, Debug, Default, PartialEq, Deserialize)]
#[serde(rename_all = "snake_case")]
pub(crate) enum Answer {
    #[default]
    Json,
    Bytes,
}

/// A query parameter: a template, or several that are joined, each left out where it has no value.
#[derive(Debug)]
pub(crate) enum Param {
    One(Template),
    Joined { with: String, parts: Vec<Template> },
}

/// What is sent.
#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields, rename_all = "snake_case", tag = "encoding")]
pub(crate) enum Body {
    /// A JSON document of templates, on top of the input written through a field table.
    Json {
        record: Option<String>,
        #[serde(default)]
        json: Option<TemplateJson>,
    },
    /// `multipart/related`: a JSON document, then the bytes of the input `content`.
    MultipartRelated { json: TemplateJson },
}

impl<'de> Deserialize<'de> for Param {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> std::result::Result<Self, D::Error> {
        #[derive(Deserialize)]
        #[serde(deny_unknown_fields)]
        struct Joined {
            with: String,
            parts: Vec<Template>,
        }
        struct Either;
        impl<'de> Visitor<'de> for Either {
            type Value = Param;
            fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str("a template, or a table with `with` and `parts`")
            }
            fn visit_str<E: serde::de::Error>(self, text: &str) -> std::result::Result<Param, E> {
                Template::parse(text).map(Param::One).map_err(E::custom)
            }
            fn visit_map<M: MapAccess<'de>>(self, map: M) -> std::result::Result<Param, M::Error> {
                let Joined { with, parts } = Joined::deserialize(MapAccessDeserializer::new(map))?;
                Ok(Param::Joined { with, parts })
            }
            fn visit_seq<S: SeqAccess<'de>>(self, _: S) -> std::result::Result<Param, S::Error> {
                Err(serde::de::Error::custom("write `{ with = \" and \", parts = […] }`"))
            }
        }
        deserializer.deserialize_any(Either)
    }
}

impl Manifest {
    /// Reads and checks a manifest. `origin` is its file or the provider it was given for.
    ///
    /// Errors name the line and the field: a manifest is written by people.
    pub(crate) fn parse(origin: &str, text: &str) -> Result<Self> {
        let malformed = |why: String| Error::invalid("malformed_manifest", format!("manifest `{origin}`: {}", why.trim_end()));
        let mut manifest: Self = toml::from_str(text).map_err(|e| malformed(e.to_string()))?;
        manifest.methods.values_mut().for_each(ConnectMethod::complete);
        manifest.check().map_err(malformed)?;
        Ok(manifest)
    }

    fn check(&self) -> std::result::Result<(), String> {
        if self.schema != SCHEMA {
            return Err(format!("schema = {}: this Atom reads schema {SCHEMA}", self.schema));
        }
        if self.name.is_empty() || !self.name.chars().all(|c| c.is_ascii_lowercase() || c.is_ascii_digit() || c == '-') {
            return Err(format!("name = `{}`: use small letters, digits and `-`", self.name));
        }
        self.check_connecting()?;
        for (name, service) in &self.services {
            self.check_url(&format!("services.{name}.base_url"), &service.base_url)?;
            self.check_token_set(&format!("services.{name}"), service.token_set.as_ref())?;
            for (op, operation) in &service.operations {
                self.check_token_set(&format!("services.{name}.operations.\"{op}\""), operation.token_set.as_ref())?;
                let at = |what: &str| format!("services.{name}.operations.\"{op}\".{what}");
                let body_record = if let Some(Body::Json { record, .. }) = &operation.body { record.as_ref() } else { None };
                for record in operation.record.iter().chain(body_record) {
                    if !service.records.contains_key(record) {
                        return Err(format!("{} = `{record}`: there is no services.{name}.records.{record}", at("record")));
                    }
                }
                if let Some(fetch) = operation.fetch.as_ref().filter(|f| !service.operations.contains_key(*f)) {
                    return Err(format!("{} = `{fetch}`: there is no such operation in services.{name}", at("fetch")));
                }
                if operation.method == Method::Get && operation.body.is_some() {
                    return Err(format!("{}: a GET has no body", at("body")));
                }
            }
        }
        Ok(())
    }

    fn check_connecting(&self) -> std::result::Result<(), String> {
        if self.auth.is_none() && self.methods.is_empty() {
            return Err("there is no way to connect: give `[auth]` or `[methods]`".into());
        }
        if let Some(auth) = &self.auth {
            self.check_url("auth.authorize_url", &auth.authorize_url)?;
            self.check_url("auth.token_url", &auth.token_url)?;
            let others = [("auth.revoke_url", &auth.revoke_url), ("auth.introspection_url", &auth.introspection_url)];
            for (field, url) in others.into_iter().filter_map(|(field, url)| Some((field, url.as_ref()?))) {
                self.check_url(field, url)?;
            }
            if self.identity.is_none() {
                return Err("identity: with `[auth]`, say whose account it is".into());
            }
            if auth.token_sets.contains_key(DEFAULT_SET) {
                return Err(format!("auth.token_sets.{DEFAULT_SET}: that is the first one's name"));
            }
        }
        if let Some(identity) = &self.identity {
            self.check_url("identity.url", &identity.url)?;
        }
        for (name, method) in &self.methods {
            let at = format!("methods.{name}");
            if name == OAUTH2 {
                return Err(format!("{at}: this method is `[auth]`"));
            }
            if matches!(method.how, How::Device(_)) && self.auth.is_none() {
                return Err(format!("{at}: it takes its tokens from the token endpoint of `[auth]`, which is missing"));
            }
            method.check(&at, |field, url| self.check_url(field, url))?;
        }
        Ok(())
    }

    fn check_token_set(&self, at: &str, name: Option<&String>) -> std::result::Result<(), String> {
        let is_known =
            |name: &String| name == DEFAULT_SET || self.auth.as_ref().is_some_and(|auth| auth.token_sets.contains_key(name));
        match name.filter(|name| !is_known(name)) {
            Some(name) => Err(format!("{at}.token_set = `{name}`: there is no auth.token_sets.{name}")),
            None => Ok(()),
        }
    }

    fn check_url(&self, field: &str, url: &Url) -> std::result::Result<(), String> {
        let host = url.host_str().unwrap_or_default();
        // A provider on loopback is one that runs beside the host: a test, a self-hosted service.
        if url.scheme() != "https" && !(is_loopback(url) && url.scheme() == "http") {
            return Err(format!("{field} = `{url}`: use https"));
        }
        if !self.hosts.iter().any(|known| known == host) {
            return Err(format!("{field} = `{url}`: its host is not in `hosts`"));
        }
        Ok(())
    }

    /// The service that carries out an operation.
    pub(crate) fn operation(&self, name: &str) -> Option<(&Service, &Operation)> {
        self.services.values().find_map(|service| Some((service, service.operations.get(name)?)))
    }
}

#[cfg(test)]
#[path = "manifest_tests.rs"]
mod tests;
