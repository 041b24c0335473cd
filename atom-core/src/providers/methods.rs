//! The ways to connect to a provider besides `[auth]`: one table under `[methods]` each.

use super::auth::{Identity, Revoke, space};
use super::hosts::UrlTemplate;
use super::path::Path;
use super::template::{Template, TemplateJson};
use crate::oauth::ClientAuth;
use regex_lite::Regex;
use serde::Deserialize;
use serde::de::{Deserializer, Error as _};
use std::collections::{BTreeMap, BTreeSet};

/// A way to connect.
#[derive(Debug, Deserialize)]
pub(crate) struct ConnectMethod {
    /// The name to show.
    pub(crate) title: String,
    /// What the user or the host gives. Left out: what the type needs.
    #[serde(default)]
    pub(crate) fields: Vec<FieldSpec>,
    /// Whose account it is, where the provider's own `identity` cannot be asked.
    pub(crate) identity: Option<Identity>,
    /// The field that names the account, where nobody can be asked.
    pub(crate) account_field: Option<String>,
    /// The request that ends the credential at the provider, authenticated as the method does. Left out: what was agreed to is withdrawn at
    /// the `revoke_url` of `[auth]`, and what the user gave is left to the user.
    pub(crate) revoke: Option<Revoke>,
    /// How it works. The type refuses what nobody knows.
    #[serde(flatten)]
    pub(crate) how: How,
}

/// The types of methods: a table of `[methods]` says which it is by `type`.
#[derive(Debug, Deserialize)]
#[serde(rename_all = "snake_case", tag = "type")]
pub(crate) enum How {
    ApiKey(ApiKey),
    Basic(Basic),
    ClientCredentials(ClientCredentials),
    SignedJwt(SignedJwt),
    AppInstallation(AppInstallation),
    Device(Device),
    Oauth1(OAuth1),
    Link(Link),
}

/// Something that the user or the host gives.
#[derive(Clone, Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct FieldSpec {
    /// Its name in calls and in templates.
    pub(crate) name: String,
    /// The name to show.
    pub(crate) title: String,
    #[serde(default)]
    pub(crate) secret: bool,
    #[serde(default)]
    pub(crate) optional: bool,
    /// What the whole value looks like.
    pub(crate) pattern: Option<Pattern>,
}

/// A regular expression for a whole value.
#[derive(Clone, Debug)]
pub(crate) struct Pattern {
    pub(crate) text: String,
    regex: Regex,
}

impl Pattern {
    pub(crate) fn fits(&self, value: &str) -> bool {
        self.regex.is_match(value)
    }
}

impl<'de> Deserialize<'de> for Pattern {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let text = String::deserialize(deserializer)?;
        let regex = Regex::new(&format!("^(?:{text})$")).map_err(|e| D::Error::custom(format!("`{text}` is no pattern: {e}")))?;
        Ok(Self { text, regex })
    }
}

/// Where a credential goes in a request.
#[derive(Debug, Default, Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct Placement {
    #[serde(default)]
    pub(crate) headers: BTreeMap<String, Template>,
    #[serde(default)]
    pub(crate) query: BTreeMap<String, Template>,
    /// Members of the JSON document that is sent.
    #[serde(default)]
    pub(crate) json: BTreeMap<String, Template>,
    pub(crate) basic: Option<Pair>,
}

/// A user name and a password (RFC 7617).
#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct Pair {
    pub(crate) username: Template,
    #[serde(default)]
    pub(crate) password: Option<Template>,
}

/// A key that the user copies from the provider.
#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct ApiKey {
    pub(crate) send: Placement,
}

/// A user name and a password, or what stands in their place.
#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct Basic {
    #[serde(default = "username")]
    pub(crate) username: Template,
    #[serde(default = "password")]
    pub(crate) password: Template,
}

fn username() -> Template {
    Template::parse("{username}").expect("a template")
}

fn password() -> Template {
    Template::parse("{password}").expect("a template")
}

/// RFC 6749 §4.4. The client is the one of the fields `client_id` and `client_secret`, where the method asks for them, else the host's own.
#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct ClientCredentials {
    pub(crate) token_url: UrlTemplate,
    #[serde(default)]
    pub(crate) client_auth: ClientAuth,
    #[serde(default)]
    pub(crate) scopes: Vec<String>,
    #[serde(default = "space")]
    pub(crate) scope_separator: String,
    /// Further parameters: audience, resource.
    #[serde(default)]
    pub(crate) params: BTreeMap<String, Template>,
    /// How long a token lives when the vendor does not say, in seconds.
    pub(crate) default_lifetime: Option<i64>,
}

/// A document that is signed with a private key of the credential (RFC 7519).
#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct Assertion {
    pub(crate) algorithm: Algorithm,
    /// A field that holds a JSON document, whose members are further values for templates.
    pub(crate) document: Option<String>,
    /// PEM, PKCS#8 or PKCS#1.
    pub(crate) private_key: Template,
    pub(crate) key_id: Option<Template>,
    /// `iss` and whatever else the vendor wants; `iat`, `exp` and `jti` are set.
    pub(crate) claims: TemplateJson,
    /// How long it is good for, in seconds.
    pub(crate) lifetime: i64,
}

#[derive(Clone, Copy, Debug, PartialEq, Deserialize)]
pub(crate) enum Algorithm {
    #[serde(rename = "RS256")]
    Rs256,
    #[serde(rename = "ES256")]
    Es256,
}

/// RFC 7523 §2.1: a signed document for a token.
#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct SignedJwt {
    pub(crate) token_url: UrlTemplate,
    pub(crate) jwt: Assertion,
    /// Asked for where the caller names none: `{scopes}` in the claims.
    #[serde(default)]
    pub(crate) scopes: Vec<String>,
    #[serde(default = "space")]
    pub(crate) scope_separator: String,
    pub(crate) default_lifetime: Option<i64>,
    /// Further parameters, where the vendor wants to know the client beside the document.
    #[serde(default)]
    pub(crate) params: BTreeMap<String, Template>,
    /// Facts in the answer of the token endpoint.
    #[serde(default)]
    pub(crate) capture: BTreeMap<String, Path>,
}

/// An app that was installed in an account: a signed document for a token of the installation.
#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct AppInstallation {
    pub(crate) token_url: UrlTemplate,
    pub(crate) jwt: Assertion,
    /// The field that names the installation.
    pub(crate) installation: String,
    /// Where the token and its end stand in the answer.
    pub(crate) token: Path,
    pub(crate) expires_at: Path,
}

/// RFC 8628. Tokens come from the token endpoint of `[auth]`.
#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct Device {
    pub(crate) device_url: UrlTemplate,
    /// What is asked for where the caller names nothing. Left out: as `[auth]` does.
    pub(crate) scopes: Option<Vec<String>>,
}

/// RFC 5849.
#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct OAuth1 {
    pub(crate) request_url: UrlTemplate,
    pub(crate) authorize_url: UrlTemplate,
    /// Fixed parameters of the page where the user agrees.
    #[serde(default)]
    pub(crate) authorize_query: BTreeMap<String, String>,
    pub(crate) access_url: UrlTemplate,
    #[serde(default)]
    pub(crate) signature: Signature,
    /// The parameters of the last answer that name the account, and that show it.
    pub(crate) account_id: Option<String>,
    pub(crate) label: Option<String>,
}

#[derive(Clone, Copy, Debug, Default, PartialEq, Deserialize)]
pub(crate) enum Signature {
    #[default]
    #[serde(rename = "HMAC-SHA1")]
    HmacSha1,
    #[serde(rename = "HMAC-SHA256")]
    HmacSha256,
}

/// A widget of the provider's, opened with a token of a session and closed with another that is exchanged.
#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct Link {
    pub(crate) create: LinkCreate,
    pub(crate) exchange: LinkExchange,
    pub(crate) send: Placement,
}

/// How a session begins. `{user_id}` and `{redirect_uri}` are known.
#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct LinkCreate {
    pub(crate) url: UrlTemplate,
    pub(crate) json: TemplateJson,
    pub(crate) token: Path,
    /// The widget as a page, where the provider has one.
    pub(crate) page: Option<Path>,
}

/// How it ends. `{public_token}` is known.
#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct LinkExchange {
    pub(crate) url: UrlTemplate,
    pub(crate) json: TemplateJson,
    pub(crate) access_token: Path,
    pub(crate) account_id: Path,
}

impl How {
    /// What the type needs from the user.
    fn usual_fields(&self) -> Vec<FieldSpec> {
        let field = |name: &str, title: &str, secret: bool| FieldSpec {
            name: name.into(),
            title: title.into(),
            secret,
            optional: false,
            pattern: None,
        };
        match self {
            Self::ApiKey(_) => vec![field("api_key", "API key", true)],
            Self::Basic(_) => vec![field("username", "User name", false), field("password", "Password", true)],
            _ => Vec::new(),
        }
    }

    /// The addresses that it asks, by the field that names them.
    fn places(&self) -> Vec<(&'static str, &UrlTemplate)> {
        match self {
            Self::ApiKey(_) | Self::Basic(_) => Vec::new(),
            Self::ClientCredentials(m) => vec![("token_url", &m.token_url)],
            Self::SignedJwt(m) => vec![("token_url", &m.token_url)],
            Self::AppInstallation(m) => vec![("token_url", &m.token_url)],
            Self::Device(m) => vec![("device_url", &m.device_url)],
            Self::Oauth1(m) => {
                vec![("request_url", &m.request_url), ("authorize_url", &m.authorize_url), ("access_url", &m.access_url)]
            }
            Self::Link(m) => vec![("create.url", &m.create.url), ("exchange.url", &m.exchange.url)],
        }
    }

    /// The templates of credentials, by the field that holds them. Their placeholders are fields.
    fn templates(&self) -> Vec<(&'static str, &Template)> {
        match self {
            Self::ApiKey(m) => m.send.templates(),
            Self::Basic(m) => vec![("username", &m.username), ("password", &m.password)],
            Self::ClientCredentials(m) => m.params.values().map(|template| ("params", template)).collect(),
            Self::SignedJwt(m) => m.params.values().map(|template| ("params", template)).collect(),
            _ => Vec::new(),
        }
    }
}

impl Placement {
    /// Refuses to place a token where it would be left out in silence.
    pub(super) fn check_token(&self, at: &str) -> Result<(), String> {
        let names: Vec<&str> = self.templates().into_iter().flat_map(|(_, template)| template.names()).collect();
        if let Some(unknown) = names.iter().find(|name| !["access_token", "client_id", "client_secret"].contains(name)) {
            return Err(format!("{at}: `{{{unknown}}}` is not known there: the token is `{{access_token}}`"));
        }
        if names.contains(&"access_token") { Ok(()) } else { Err(format!("{at}: say where `{{access_token}}` goes")) }
    }

    fn templates(&self) -> Vec<(&'static str, &Template)> {
        let placed = self.headers.values().chain(self.query.values()).chain(self.json.values());
        let basic = self.basic.iter().flat_map(|pair| std::iter::once(&pair.username).chain(&pair.password));
        placed.chain(basic).map(|template| ("send", template)).collect()
    }

    fn is_empty(&self) -> bool {
        self.headers.is_empty() && self.query.is_empty() && self.json.is_empty() && self.basic.is_none()
    }
}

impl ConnectMethod {
    /// Adds what the type needs where the manifest leaves it out.
    pub(super) fn complete(&mut self) {
        if self.fields.is_empty() {
            self.fields = self.how.usual_fields();
        }
    }

    /// `check_url` is told which values are known beside the facts of the account.
    pub(super) fn check(
        &self,
        at: &str,
        check_url: impl Fn(&str, &UrlTemplate, &BTreeSet<&str>) -> Result<(), String>,
    ) -> Result<(), String> {
        let mut known = BTreeSet::from(["client_id", "client_secret"]);
        let mut seen = BTreeSet::new();
        for field in &self.fields {
            if !seen.insert(field.name.as_str()) {
                return Err(format!("{at}.fields: `{}` is there twice", field.name));
            }
            if field.name.is_empty() || !field.name.chars().all(|c| c.is_ascii_lowercase() || c.is_ascii_digit() || c == '_') {
                return Err(format!("{at}.fields: `{}` is not a field's name: use small letters, digits and `_`", field.name));
            }
            known.insert(&field.name);
        }
        if let Some(name) = &self.account_field {
            let field = self.fields.iter().find(|field| field.name == *name);
            if field.is_none_or(|field| field.secret || field.optional) {
                return Err(format!("{at}.account_field = `{name}`: it is one of `fields`, neither secret nor optional"));
            }
        }
        if let How::AppInstallation(m) = &self.how
            && !seen.contains(m.installation.as_str())
        {
            return Err(format!("{at}.installation = `{}`: it is one of `fields`", m.installation));
        }
        if let How::ApiKey(m) = &self.how
            && m.send.is_empty()
        {
            return Err(format!("{at}.send: say where the key goes: `headers`, `query`, `json` or `basic`"));
        }
        for (field, template) in self.how.templates() {
            if let Some(unknown) = template.names().find(|name| !known.contains(name)) {
                return Err(format!("{at}.{field}: there is no field `{unknown}`"));
            }
        }
        if let Some(identity) = &self.identity {
            check_url(&format!("{at}.identity.url"), &identity.url, &BTreeSet::new())?;
        }
        if let Some(revoke) = &self.revoke {
            known.insert("access_token");
            revoke.check(&format!("{at}.revoke"), &known)?;
            check_url(&format!("{at}.revoke.url"), &revoke.url, &known)?;
        }
        for (field, url) in self.how.places() {
            check_url(&format!("{at}.{field}"), url, &known)?;
        }
        Ok(())
    }
}

#[cfg(test)]
#[path = "methods_tests.rs"]
mod tests;
