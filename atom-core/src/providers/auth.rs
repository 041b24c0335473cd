//! `[auth]`, `[identity]` and `[inputs]`: the consent, whose account it is, and what a person says about it before.

use super::check::check_header;
use super::hosts::UrlTemplate;
use super::methods::{Pattern, Placement};
use super::operation::Method;
use super::path::Path;
use super::template::{Template, TemplateJson};
use crate::oauth::ClientAuth;
use serde::Deserialize;
use std::collections::{BTreeMap, BTreeSet};

/// How to authorize: OAuth 2 with code and PKCE.
#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct OAuth2 {
    /// Compared with the `iss` of a callback (RFC 9207).
    pub(crate) issuer: Option<String>,
    /// Whether a callback without `iss` is refused.
    #[serde(default)]
    pub(crate) issuer_required: bool,
    pub(crate) authorize_url: UrlTemplate,
    /// Fixed parameters of the authorization request, such as what makes the vendor hand out a refresh token.
    #[serde(default)]
    pub(crate) authorize_query: BTreeMap<String, String>,
    /// The parameter that names the scopes.
    #[serde(default = "scope")]
    pub(crate) scope_param: String,
    /// Whether the vendor takes RFC 7636.
    #[serde(default = "yes")]
    pub(crate) pkce: bool,
    pub(crate) token_url: UrlTemplate,
    #[serde(default)]
    pub(crate) token_body: TokenBody,
    /// Fixed headers at the token endpoint.
    #[serde(default)]
    pub(crate) token_headers: BTreeMap<String, String>,
    /// Left out: the token endpoint.
    pub(crate) refresh_url: Option<UrlTemplate>,
    #[serde(default)]
    pub(crate) refresh_params: BTreeMap<String, String>,
    pub(crate) revoke_url: Option<UrlTemplate>,
    /// How a grant is withdrawn where RFC 7009 does not fit.
    pub(crate) revoke: Option<Revoke>,
    /// Where to ask about a token (RFC 7662), for a vendor whose answers do not say how long theirs live, or whose 401 may mean something else.
    pub(crate) introspection_url: Option<UrlTemplate>,
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
    /// Facts in the answer of the token endpoint, the first one and those to refreshes.
    #[serde(default)]
    pub(crate) capture: BTreeMap<String, Path>,
    /// Facts in the query of the callback.
    #[serde(default)]
    pub(crate) capture_callback: BTreeMap<String, String>,
    /// How a callback proves that it comes from the vendor, where it does.
    pub(crate) callback: Option<CallbackSignature>,
    /// Where the code of a refusal stands.
    pub(crate) error: Option<Path>,
    /// Further parameters of a code's exchange.
    #[serde(default)]
    pub(crate) token_params: BTreeMap<String, String>,
    /// Where the access token goes in a request: `{access_token}`. Left out: RFC 6750.
    pub(crate) send: Option<Placement>,
    /// Further token sets of a connection, by name.
    #[serde(default)]
    pub(crate) token_sets: BTreeMap<String, TokenSetSource>,
}

impl OAuth2 {
    /// Whether its addresses depend on facts about the account.
    pub(crate) fn is_filled(&self) -> bool {
        let further = self.refresh_url.iter().chain(&self.revoke_url).chain(&self.introspection_url);
        let is_filled = [&self.authorize_url, &self.token_url].into_iter().chain(further).any(|url| url.names().next().is_some());
        is_filled || self.revoke.as_ref().is_some_and(|revoke| revoke.url.names().next().is_some())
    }
}

/// A signature of the vendor's in a callback: HMAC-SHA-256 under the client's secret, in hexadecimal, over the other parameters, sorted by
/// name and written as a form.
#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct CallbackSignature {
    /// The parameter that holds it.
    pub(crate) hmac_param: String,
}

/// Where a further token set comes from.
#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields, rename_all = "snake_case", tag = "from")]
pub(crate) enum TokenSetSource {
    /// It stands in the answer that holds the first one, and is renewed on its own. With `scope_param` the scopes of its services are
    /// asked for in a parameter of their own.
    Answer { path: Path, scope_param: Option<String> },
    /// It is asked for with the refresh token of the first one, with these parameters: scope, audience, resource.
    RefreshToken { params: BTreeMap<String, String> },
}

/// How a request to an endpoint of `[auth]` is written.
#[derive(Clone, Copy, Debug, Default, PartialEq, Deserialize)]
#[serde(rename_all = "snake_case")]
pub(crate) enum TokenBody {
    #[default]
    Form,
    Json,
    None,
}

/// A request that ends a credential at the vendor. Of `[auth]`, `{token}` is the refresh token, or the access token where there is none, and
/// `{access_token}`, `{refresh_token}`, `{client_id}`, `{client_secret}` are known, too; of a method, its fields and `{access_token}`, and the
/// request is authenticated as any other. Both know the facts.
#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct Revoke {
    #[serde(default = "post")]
    pub(crate) method: Method,
    pub(crate) url: UrlTemplate,
    #[serde(default)]
    pub(crate) headers: BTreeMap<String, Template>,
    #[serde(default)]
    pub(crate) encoding: TokenBody,
    #[serde(default)]
    pub(crate) params: BTreeMap<String, Template>,
    /// Left out: the request itself says who asks.
    #[serde(default = "no_client")]
    pub(crate) client_auth: ClientAuth,
    /// The vendor's error codes (`errors.code`) which say that there is nothing left to end. A 404 and a 410 say so without.
    #[serde(default)]
    pub(crate) gone: Vec<String>,
}

impl Revoke {
    /// Whether its parts fit together, where these values are known.
    pub(super) fn check(&self, at: &str, known: &BTreeSet<&str>) -> Result<(), String> {
        let templates = self.headers.values().chain(self.params.values());
        if let Some(unknown) = templates.flat_map(Template::names).find(|name| !known.contains(name)) {
            return Err(format!("{at}: `{{{unknown}}}` is no part of the credential, no input and no captured fact"));
        }
        if self.method == Method::Get && !self.params.is_empty() {
            return Err(format!("{at}: a GET has no body"));
        }
        self.headers.keys().try_for_each(|name| check_header(&format!("{at}.headers"), name))
    }
}

/// Whose account it is.
#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct Identity {
    pub(crate) url: UrlTemplate,
    /// Left out: a POST where there is a body.
    pub(crate) method: Option<Method>,
    /// A JSON document to send.
    pub(crate) body: Option<TemplateJson>,
    /// A GraphQL document to send.
    pub(crate) graphql: Option<String>,
    pub(crate) account_id: Path,
    pub(crate) email: Option<Path>,
    pub(crate) label: Option<Path>,
    /// Facts to keep, by name: tenant, site, data centre.
    #[serde(default)]
    pub(crate) facts: BTreeMap<String, Path>,
    /// Further requests for facts, in their order.
    #[serde(default)]
    pub(crate) more: Vec<MoreFacts>,
}

/// A request that is made for facts only.
#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct MoreFacts {
    pub(crate) url: UrlTemplate,
    pub(crate) facts: BTreeMap<String, Path>,
}

/// What a person says about the account before connecting: the name of a shop, of a site, of a region.
#[derive(Clone, Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct InputSpec {
    /// The name to show.
    pub(crate) title: String,
    /// What the whole value looks like.
    pub(crate) pattern: Pattern,
    #[serde(default)]
    pub(crate) optional: bool,
    pub(crate) default: Option<String>,
}

pub(super) fn space() -> String {
    " ".into()
}

fn scope() -> String {
    "scope".into()
}

fn yes() -> bool {
    true
}

fn post() -> Method {
    Method::Post
}

fn no_client() -> ClientAuth {
    ClientAuth::None
}
