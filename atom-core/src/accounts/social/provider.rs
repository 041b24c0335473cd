//! The providers to sign in with: what is configured, where each is asked, and the keys that it signs with.

use super::SignInProvider;
use super::preset::{self, EmailTrust, Preset};
use super::secret::ClientSecret;
use crate::atom::Inner;
use crate::crypto::jwk::KeySet;
use crate::http_client::{Request, Response, is_loopback};
use crate::oauth::{self, ClientAuth, Discovery, Expected, IdToken, Issuer, RedirectUris};
use crate::{Error, ErrorKind, Result};
use chrono::{DateTime, TimeDelta, Utc};
use reqwest::Method;
use reqwest::header::{ACCEPT, HeaderMap, HeaderValue};
use std::collections::{BTreeMap, HashMap};
use std::sync::Arc;
use std::time::Duration;
use tokio::sync::Mutex;
use url::Url;

/// How long a provider may take for an answer.
pub(super) const TIMEOUT: Duration = Duration::from_secs(10);
/// The longest answer that is read, in bytes.
const LONGEST: usize = 512 * 1024;
/// For how long a discovery document and keys are believed.
const FRESH: TimeDelta = TimeDelta::hours(1);
/// How many times keys are read anew in a minute because a token names one that is not known. Everybody can send such a token.
const REREADS: usize = 5;

/// All of them, by name.
pub(crate) struct SignInProviders(HashMap<String, Arc<Provider>>);

/// One of them.
pub(super) struct Provider {
    pub(super) name: String,
    pub(super) title: String,
    pub(super) client_id: String,
    pub(super) secret: ClientSecret,
    pub(super) redirect_uris: RedirectUris,
    pub(super) scopes: Vec<String>,
    pub(super) email: EmailTrust,
    source: Source,
    development_endpoint: Option<Url>,
    /// What was read of it. Whoever reads holds it, so that all others wait for one answer.
    known: Mutex<Known>,
}

/// Where its addresses are from.
enum Source {
    Preset {
        preset: Box<Preset>,
        tenants: Vec<String>,
        trusts_tenants: bool,
    },
    /// The issuer's document. `is_private`: the host vouches for it, wherever in the network it is.
    Discovery {
        issuer: String,
        is_private: bool,
    },
}

#[derive(Default)]
struct Known {
    endpoints: Option<(Arc<Endpoints>, DateTime<Utc>)>,
    keys: Option<(KeySet, DateTime<Utc>)>,
    /// When keys were read anew, in the last minute.
    rereads: Vec<DateTime<Utc>>,
}

/// Where it is asked, and how it names itself.
pub(super) struct Endpoints {
    issuer: Issuer,
    /// The `iss` of callbacks, where it is one.
    pub(super) callback_issuer: Option<String>,
    pub(super) names_itself: bool,
    pub(super) authorize: Url,
    pub(super) authorize_query: BTreeMap<String, String>,
    pub(super) token: Url,
    pub(super) client_auth: ClientAuth,
    pub(super) identity: IdentitySource,
}

/// What says whose account it is.
pub(super) enum IdentitySource {
    IdToken { keys: Url, userinfo: Option<Url> },
    GitHub { issuer: String, user: Url, emails: Url },
}

impl SignInProviders {
    /// Fails with `invalid`: `unknown_sign_in_provider`, `malformed_sign_in_provider`, `sign_in_provider_twice`, `malformed_issuer`,
    /// `malformed_redirect_uri`, `redirect_uri_shared`, `malformed_private_key`, `endpoint_not_loopback`.
    pub(crate) fn new(given: Vec<SignInProvider>) -> Result<Self> {
        let mut known: HashMap<String, Arc<Provider>> = HashMap::new();
        for one in given {
            let provider = Provider::new(one)?;
            // Two that answer at one address cannot be told apart there (RFC 9700 §4.4).
            for uri in provider.redirect_uris.all() {
                if let Some(other) = known.values().find(|other| other.redirect_uris.all().contains(uri)) {
                    let (one, two) = (&other.name, &provider.name);
                    let text = format!("`{one}` and `{two}` share a redirect URI: give each its own");
                    return Err(Error::invalid("redirect_uri_shared", text));
                }
            }
            let name = provider.name.clone();
            if known.insert(name.clone(), Arc::new(provider)).is_some() {
                return Err(Error::invalid(
                    "sign_in_provider_twice",
                    format!("sign-in provider `{name}` is there twice: keep one"),
                ));
            }
        }
        Ok(Self(known))
    }

    /// Fails with `not_found` (`unknown_sign_in_provider`).
    pub(super) fn get(&self, name: &str) -> Result<Arc<Provider>> {
        self.0.get(name).cloned().ok_or_else(|| {
            let mut names: Vec<_> = self.0.keys().map(String::as_str).collect();
            names.sort_unstable();
            let names = if names.is_empty() { "none".to_owned() } else { names.join(", ") };
            let text = format!(
                "nobody can sign in with this provider here (configured: {names}): pass it in `sign_in_providers` when opening"
            );
            Error::new(ErrorKind::NotFound, "unknown_sign_in_provider", text)
        })
    }

    /// Whether it is configured still.
    pub(super) fn has(&self, name: &str) -> bool {
        self.0.contains_key(name)
    }
}

pub(super) fn malformed(text: impl Into<String>) -> Error {
    Error::invalid("malformed_sign_in_provider", text)
}

impl Provider {
    fn new(given: SignInProvider) -> Result<Self> {
        let name = given.name;
        if !crate::accounts::is_label(&name) {
            return Err(malformed("the name of a sign-in provider is 1 to 64 small letters, digits, `.`, `_` and `-`"));
        }
        if given.client_id.is_empty() {
            return Err(malformed(format!("`{name}` has no client id: take it from the provider's developer console")));
        }
        let trust = given.trust_email;
        let default_scopes = |preset: &Preset| given.scopes.clone().unwrap_or_else(|| preset.scopes.clone());
        let (title, email, scopes, source) = match (given.issuer, given.preset) {
            (Some(_), Some(_)) => return Err(malformed("give `issuer` or `preset`, not both")),
            (Some(_), None) if given.tenants.is_some() => return Err(malformed("`tenants` is for the preset `microsoft`")),
            (Some(issuer), None) => {
                Discovery::url(&issuer)?;
                let email = if trust == Some(true) { EmailTrust::Claim } else { EmailTrust::Never };
                let scopes = given.scopes.clone().unwrap_or_else(|| ["openid", "email", "profile"].map(str::to_owned).to_vec());
                let is_private = given.private_network.unwrap_or(false);
                (name.clone(), email, scopes, Source::Discovery { issuer, is_private })
            }
            (None, known) => {
                let known = known.unwrap_or_else(|| name.clone());
                let preset = preset::find(&known)?.ok_or_else(|| {
                    let text = format!("`{known}` is not known in advance ({}): give its `issuer`", preset::names());
                    Error::invalid("unknown_sign_in_provider", text)
                })?;
                let tenants = tenants(&preset, given.tenants, trust)?;
                let (is_tenanted, trusts) = (preset.issuer.contains("{tenantid}"), trust == Some(true));
                let email = match trust {
                    Some(false) => EmailTrust::Never,
                    Some(true) if !is_tenanted => EmailTrust::Claim,
                    _ => preset.email,
                };
                let (title, scopes) = (preset.title.clone(), default_scopes(&preset));
                let source = Source::Preset { preset: Box::new(preset), tenants, trusts_tenants: trusts && is_tenanted };
                (title, email, scopes, source)
            }
        };
        let has_id_token = !matches!(&source, Source::Preset { preset, .. } if preset.keys_url.is_none());
        if has_id_token && !scopes.iter().any(|scope| scope == "openid") {
            return Err(malformed(format!("the scopes of `{name}` lack `openid`: without it there is no ID token")));
        }
        let endpoint = given.development_endpoint.as_deref().map(|text| {
            let url = Url::parse(text).ok().filter(is_loopback);
            url.ok_or_else(|| {
                Error::invalid("endpoint_not_loopback", "a development endpoint is a URL on 127.0.0.1, localhost or [::1]")
            })
        });
        let uris = std::iter::once(given.redirect_uri).chain(given.redirect_uris.into_iter().flatten()).collect();
        Ok(Self {
            secret: ClientSecret::new(given.client_secret, given.apple)?,
            redirect_uris: RedirectUris::new(uris)?,
            development_endpoint: endpoint.transpose()?,
            known: Mutex::default(),
            client_id: given.client_id,
            name,
            title,
            scopes,
            email,
            source,
        })
    }

    /// Whether the host believes every address of the tenants that may sign in.
    pub(super) fn trusts_tenants(&self) -> bool {
        matches!(self.source, Source::Preset { trusts_tenants: true, .. })
    }

    /// Where it is asked.
    pub(super) async fn endpoints(&self, inner: &Inner) -> Result<Arc<Endpoints>> {
        let (mut known, now) = (self.known.lock().await, inner.now());
        if let Some((endpoints, _)) = known.endpoints.as_ref().filter(|(_, read_at)| now - *read_at < FRESH) {
            return Ok(Arc::clone(endpoints));
        }
        let endpoints = Arc::new(match &self.source {
            Source::Preset { preset, tenants, .. } => self.preset(preset, tenants)?,
            Source::Discovery { issuer, .. } => {
                let answer = self.get(inner, Discovery::url(issuer)?, HeaderMap::new()).await?;
                self.discovered(Discovery::read(issuer, &self.body(answer)?).map_err(|e| e.with_provider(&self.name))?)
            }
        });
        known.endpoints = Some((Arc::clone(&endpoints), now));
        Ok(endpoints)
    }

    fn discovered(&self, document: Discovery) -> Endpoints {
        Endpoints {
            callback_issuer: Some(document.issuer.clone()),
            names_itself: document.authorization_response_iss_parameter_supported,
            client_auth: document.client_auth(),
            issuer: Issuer::One(document.issuer),
            authorize: document.authorization_endpoint,
            authorize_query: BTreeMap::new(),
            token: document.token_endpoint,
            identity: IdentitySource::IdToken { keys: document.jwks_uri, userinfo: document.userinfo_endpoint },
        }
    }

    fn preset(&self, preset: &Preset, tenants: &[String]) -> Result<Endpoints> {
        // A directory's own page where there is one, and the page for all where there are several.
        let tenant = if let [one] = tenants { one.as_str() } else { "common" };
        let place = |url: &str| self.place(&url.replace("{tenant}", tenant));
        let is_tenanted = preset.issuer.contains("{tenantid}");
        let identity = match (&preset.keys_url, &preset.user_url, &preset.emails_url) {
            (Some(keys), ..) => {
                IdentitySource::IdToken { keys: place(keys)?, userinfo: preset.userinfo_url.as_deref().map(place).transpose()? }
            }
            (None, Some(user), Some(emails)) => {
                IdentitySource::GitHub { issuer: preset.issuer.clone(), user: place(user)?, emails: place(emails)? }
            }
            _ => return Err(Error::internal("presets", "a preset says nothing of who signs in")),
        };
        let issuer = if is_tenanted {
            Issuer::Tenants { template: preset.issuer.clone(), allowed: tenants.to_vec() }
        } else {
            Issuer::One(preset.issuer.clone())
        };
        Ok(Endpoints {
            issuer,
            callback_issuer: (!is_tenanted).then(|| preset.issuer.clone()),
            names_itself: false,
            authorize: place(&preset.authorize_url)?,
            authorize_query: preset.authorize_query.clone(),
            token: place(&preset.token_url)?,
            client_auth: ClientAuth::Body,
            identity,
        })
    }

    /// Where a known provider is, or what stands in for it.
    fn place(&self, url: &str) -> Result<Url> {
        let failed = || Error::internal("presets", "a preset has a malformed address");
        let mut url = Url::parse(url).map_err(|_| failed())?;
        if let Some(endpoint) = &self.development_endpoint {
            url.set_scheme(endpoint.scheme()).map_err(|()| failed())?;
            url.set_host(endpoint.host_str()).map_err(|_| failed())?;
            url.set_port(endpoint.port()).map_err(|()| failed())?;
        }
        Ok(url)
    }

    /// Verifies an ID token. A key that is not known may be new: then the keys are read once more.
    pub(super) async fn id_token(&self, inner: &Inner, keys: &Url, token: &str, expected: Told<'_>) -> Result<IdToken> {
        let endpoints = self.endpoints(inner).await?;
        let (mut known, now) = (self.known.lock().await, inner.now());
        let Told { nonce, access_token, code } = expected;
        let expected = Expected { issuer: &endpoints.issuer, client_id: &self.client_id, nonce, access_token, code, now };
        let is_fresh = known.keys.as_ref().is_some_and(|(_, read_at)| now - *read_at < FRESH);
        if !is_fresh {
            known.keys = Some((self.read_keys(inner, keys).await?, now));
        }
        let verified = |known: &Known| match &known.keys {
            Some((keys, _)) => oauth::read_id_token(token, keys, &expected),
            None => Err(Error::internal("keys", "the keys of a provider are gone")),
        };
        let first = verified(&known);
        known.rereads.retain(|at| now - *at < TimeDelta::minutes(1));
        let is_unknown = first.as_ref().err().is_some_and(oauth::is_key_unknown);
        if !is_unknown || !is_fresh || known.rereads.len() >= REREADS {
            return first;
        }
        known.rereads.push(now);
        known.keys = Some((self.read_keys(inner, keys).await?, now));
        verified(&known)
    }

    async fn read_keys(&self, inner: &Inner, keys: &Url) -> Result<KeySet> {
        let answer = self.get(inner, keys.clone(), HeaderMap::new()).await?;
        KeySet::parse(&self.body(answer)?)
            .ok_or_else(|| self.refused("keys_malformed", "publishes no keys where it says that they are"))
    }

    /// Asks the provider for a document.
    pub(super) async fn get(&self, inner: &Inner, url: Url, mut headers: HeaderMap) -> Result<Response> {
        headers.entry(ACCEPT).or_insert(HeaderValue::from_static("application/json"));
        self.send(inner, Request { method: Method::GET, url, headers, body: Vec::new(), timeout: TIMEOUT }).await
    }

    pub(super) async fn send(&self, inner: &Inner, request: Request) -> Result<Response> {
        let sent = match &self.source {
            // Where an issuer's document leads is the issuer's word, not the host's.
            Source::Discovery { is_private: false, .. } => inner.egress.send(request).await,
            Source::Discovery { is_private: true, .. } | Source::Preset { .. } => inner.http.send(request).await,
        };
        sent.map_err(|e| e.with_provider(&self.name))
    }

    /// The body of an answer of success.
    pub(super) fn body(&self, answer: Response) -> Result<Vec<u8>> {
        if answer.status == 429 || answer.status >= 500 {
            let text = format!("{} does not answer: call again", self.title);
            let error = Error::unavailable("provider_unavailable", text).with_provider(&self.name);
            return Err(error.with_status(answer.status));
        }
        if !(200..300).contains(&answer.status) || answer.body.len() > LONGEST {
            return Err(self.refused("provider_refused", "refused a question that a sign-in needs").with_status(answer.status));
        }
        Ok(answer.body)
    }

    /// The provider does not do as it should.
    pub(super) fn refused(&self, reason: &'static str, what: &str) -> Error {
        let text = format!("{} {what}: nobody was signed in", self.title);
        Error::new(ErrorKind::Provider, reason, text).with_provider(&self.name)
    }
}

/// What a token must have been made for.
pub(super) struct Told<'a> {
    pub(super) nonce: &'a str,
    pub(super) access_token: Option<&'a str>,
    pub(super) code: &'a str,
}

/// The tenants that may sign in; none in the list means all.
fn tenants(preset: &Preset, given: Option<Vec<String>>, trust: Option<bool>) -> Result<Vec<String>> {
    let is_tenanted = preset.issuer.contains("{tenantid}");
    match given {
        None if !is_tenanted => Ok(Vec::new()),
        Some(_) if !is_tenanted => Err(malformed("`tenants` is for the preset `microsoft`")),
        Some(list) if list == ["*"] && trust == Some(true) => Err(malformed(
            "whoever runs a tenant can give its accounts any address: name the tenants, or leave `trust_email` out",
        )),
        Some(list) if list == ["*"] => Ok(Vec::new()),
        Some(list) if !list.is_empty() && list.iter().all(|id| uuid::Uuid::try_parse(id).is_ok()) => Ok(list),
        _ => Err(malformed("`tenants` is a list of the directories' ids (UUIDs), or `*` for all of them")),
    }
}
