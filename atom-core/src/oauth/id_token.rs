//! ID tokens (OpenID Connect Core 1.0 §2, §3.1.3.7): who signed in at the provider, for us, just now.

use crate::crypto::base64url;
use crate::crypto::jwk::{KeySet, Refusal};
use crate::{Error, ErrorKind, Result};
use chrono::{DateTime, Utc};
use serde::Deserialize;
use sha2::{Digest, Sha256};
use subtle::ConstantTimeEq;

/// How far the provider's clock may be from ours, in seconds.
const SKEW: f64 = 60.0;
/// How old a token may be, in seconds: it was made for a code of a moment ago.
const OLDEST: f64 = 600.0;
/// The longest `sub` (§2), in bytes.
const LONGEST_SUBJECT: usize = 255;

/// Whose tokens are taken.
#[derive(Clone)]
pub(crate) enum Issuer {
    One(String),
    /// An issuer for each tenant: `{tenantid}` in the text stands for the token's own `tid`, which must be one of these, if there are any.
    Tenants {
        template: String,
        allowed: Vec<String>,
    },
}

/// What a token is compared with.
pub(crate) struct Expected<'a> {
    pub(crate) issuer: &'a Issuer,
    pub(crate) client_id: &'a str,
    pub(crate) nonce: &'a str,
    pub(crate) access_token: Option<&'a str>,
    pub(crate) code: &'a str,
    pub(crate) now: DateTime<Utc>,
}

/// A token that is believed.
pub(crate) struct IdToken {
    pub(crate) issuer: String,
    pub(crate) subject: String,
    pub(crate) profile: Profile,
}

/// What a provider tells of a person (§5.1), in an ID token or at its UserInfo endpoint.
#[derive(Default, Deserialize)]
pub(crate) struct Profile {
    pub(crate) sub: Option<String>,
    pub(crate) email: Option<String>,
    email_verified: Option<Flag>,
    pub(crate) name: Option<String>,
    /// Google: the organization that the account belongs to.
    pub(crate) hd: Option<String>,
    /// Entra: whether the owner of the address's domain has vouched for it.
    xms_edov: Option<Flag>,
}

/// A yes or no, which not everybody writes as one.
#[derive(Deserialize)]
#[serde(untagged)]
enum Flag {
    Bool(bool),
    Text(String),
    Number(i64),
}

impl Flag {
    fn is_yes(&self) -> bool {
        match self {
            Self::Bool(yes) => *yes,
            Self::Text(text) => text == "true" || text == "1",
            Self::Number(number) => *number == 1,
        }
    }
}

impl Profile {
    /// Whether the provider says that the address is the person's.
    pub(crate) fn says_verified(&self) -> bool {
        self.email_verified.as_ref().is_some_and(Flag::is_yes)
    }

    /// Whether the owner of the domain does.
    pub(crate) fn is_domain_owner_verified(&self) -> bool {
        self.xms_edov.as_ref().is_some_and(Flag::is_yes)
    }
}

#[derive(Deserialize)]
struct Claims {
    iss: String,
    sub: String,
    aud: Audience,
    azp: Option<String>,
    exp: f64,
    iat: f64,
    nbf: Option<f64>,
    nonce: Option<String>,
    at_hash: Option<String>,
    c_hash: Option<String>,
    tid: Option<String>,
}

#[derive(Deserialize)]
#[serde(untagged)]
enum Audience {
    One(String),
    Many(Vec<String>),
}

impl Audience {
    fn all(&self) -> &[String] {
        match self {
            Self::One(one) => std::slice::from_ref(one),
            Self::Many(many) => many,
        }
    }
}

/// Whether an error says that the keys may be out of date.
pub(crate) fn is_key_unknown(error: &Error) -> bool {
    error.reason() == "id_token_key_unknown"
}

/// Verifies and reads a token.
///
/// Fails with `provider`: `id_token_malformed`, `id_token_algorithm_wrong`, `id_token_key_unknown`, `id_token_signature_wrong`, `id_token_issuer_wrong`,
/// `id_token_audience_wrong`, `id_token_expired`, `id_token_nonce_wrong`, `id_token_hash_wrong`; or `forbidden` (`tenant_not_allowed`).
pub(crate) fn read(token: &str, keys: &KeySet, expected: &Expected<'_>) -> Result<IdToken> {
    let (payload, key) = keys.verify(token).map_err(unsigned)?;
    let malformed = || refused("id_token_malformed", "lacks what an ID token has");
    let claims: Claims = serde_json::from_slice(&payload).map_err(|_| malformed())?;
    let profile: Profile = serde_json::from_slice(&payload).map_err(|_| malformed())?;
    if claims.sub.is_empty() || claims.sub.len() > LONGEST_SUBJECT {
        return Err(malformed());
    }
    check_issuer(&claims, expected.issuer)?;
    // A key that is published for one issuer is no key of another's.
    if key.issuer.as_ref().is_some_and(|issuer| filled(issuer, claims.tid.as_deref()) != claims.iss) {
        return Err(refused("id_token_issuer_wrong", "is signed with a key of another issuer"));
    }
    check_audience(&claims, expected.client_id)?;
    check_times(&claims, expected.now)?;
    let is_ours = claims.nonce.as_ref().is_some_and(|nonce| nonce.as_bytes().ct_eq(expected.nonce.as_bytes()).into());
    if !is_ours {
        return Err(refused("id_token_nonce_wrong", "was made for another sign-in"));
    }
    let fits = |hash: &Option<String>, what: Option<&str>| match (hash, what) {
        (Some(hash), Some(what)) => *hash == half_hash(what),
        (Some(_), None) => false,
        (None, _) => true,
    };
    if !fits(&claims.at_hash, expected.access_token) || !fits(&claims.c_hash, Some(expected.code)) {
        return Err(refused("id_token_hash_wrong", "was made for another access token or another code"));
    }
    Ok(IdToken { issuer: claims.iss, subject: claims.sub, profile })
}

fn check_issuer(claims: &Claims, issuer: &Issuer) -> Result<()> {
    let wrong = || refused("id_token_issuer_wrong", "names another issuer");
    match issuer {
        Issuer::One(known) if *known == claims.iss => Ok(()),
        Issuer::One(_) => Err(wrong()),
        Issuer::Tenants { template, allowed } => {
            let tenant = claims.tid.as_deref().filter(|tid| uuid::Uuid::try_parse(tid).is_ok()).ok_or_else(wrong)?;
            if filled(template, Some(tenant)) != claims.iss {
                return Err(wrong());
            }
            if allowed.is_empty() || allowed.iter().any(|known| known.eq_ignore_ascii_case(tenant)) {
                return Ok(());
            }
            let text = "accounts of this directory may not sign in here: add its id to `tenants` of the provider";
            Err(Error::new(ErrorKind::Forbidden, "tenant_not_allowed", text))
        }
    }
}

fn filled(template: &str, tenant: Option<&str>) -> String {
    template.replace("{tenantid}", tenant.unwrap_or_default())
}

/// §3.1.3.7, 3 to 5: for us, and where it is for others too, made for us.
fn check_audience(claims: &Claims, client_id: &str) -> Result<()> {
    let audience = claims.aud.all();
    let is_ours = audience.iter().any(|one| one == client_id);
    let is_for_us_only = audience.iter().all(|one| one == client_id);
    let is_made_for_us = claims.azp.as_ref().map(|azp| azp == client_id);
    if is_ours && is_made_for_us.unwrap_or(is_for_us_only) {
        return Ok(());
    }
    Err(refused("id_token_audience_wrong", "is for another client"))
}

#[allow(clippy::cast_precision_loss)] // seconds of today are far from where a float has gaps
fn check_times(claims: &Claims, now: DateTime<Utc>) -> Result<()> {
    let now = now.timestamp_millis() as f64 / 1000.0;
    let is_current = now < claims.exp + SKEW
        && claims.iat <= now + SKEW
        && claims.iat >= now - OLDEST - SKEW
        && claims.nbf.is_none_or(|from| from <= now + SKEW);
    if is_current { Ok(()) } else { Err(refused("id_token_expired", "is not valid now: check the clock of this machine")) }
}

/// `at_hash` and `c_hash` (§3.1.3.6, §3.3.2.11): all our algorithms end in 256.
pub(crate) fn half_hash(what: &str) -> String {
    base64url(&Sha256::digest(what)[..16])
}

fn unsigned(refusal: Refusal) -> Error {
    match refusal {
        Refusal::Malformed => refused("id_token_malformed", "is no signed document"),
        Refusal::WrongAlgorithm => refused("id_token_algorithm_wrong", "is signed with an algorithm that its key is not for"),
        Refusal::UnknownKey => refused("id_token_key_unknown", "is signed with a key that the provider does not publish"),
        Refusal::AmbiguousKey => refused("id_token_key_ambiguous", "does not say which of several keys it is signed with"),
        Refusal::WrongSignature => refused("id_token_signature_wrong", "is not signed by the provider"),
    }
}

fn refused(reason: &'static str, why: &str) -> Error {
    Error::new(ErrorKind::Provider, reason, format!("the provider's ID token {why}: nobody was signed in"))
}

#[cfg(test)]
#[path = "id_token_tests.rs"]
mod tests;
