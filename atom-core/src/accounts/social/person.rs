//! From a callback to a person: the code is exchanged, and whoever is proved by what comes back.

use super::flow::Returned;
use super::preset::EmailTrust;
use super::provider::{IdentitySource, Provider, Told};
use crate::accounts::email;
use crate::atom::Inner;
use crate::http_client::Request;
use crate::oauth::{self, Profile, printable, secret_header};
use crate::{Error, ErrorKind, Result, Secret};
use reqwest::Method;
use reqwest::header::{ACCEPT, AUTHORIZATION, CONTENT_TYPE, HeaderMap, HeaderValue};
use serde::{Deserialize, Serialize};
use serde_json::Value;
use url::{Url, form_urlencoded};

/// The longest name that is taken over, in characters.
const LONGEST_NAME: usize = 200;

/// Somebody who is proved to have an account at a provider.
#[derive(Serialize, Deserialize)]
pub(super) struct Person {
    pub(super) provider: String,
    /// With the subject: whose account it is, for ever. An address may go to somebody else.
    pub(super) issuer: String,
    pub(super) subject: String,
    /// What the provider told, as far as it is an address.
    pub(super) email: Option<String>,
    /// Whether it is believed to be theirs.
    pub(super) is_email_trusted: bool,
    pub(super) name: Option<String>,
}

/// The answer of the token endpoint.
#[derive(Deserialize)]
struct Tokens {
    access_token: Option<String>,
    id_token: Option<String>,
}

/// An address of a GitHub account.
#[derive(Deserialize)]
struct GitHubEmail {
    email: String,
    primary: bool,
    verified: bool,
}

#[derive(Deserialize)]
struct GitHubUser {
    id: i64,
    login: String,
    name: Option<String>,
}

/// Exchanges the code and asks who it is.
pub(super) async fn ask(inner: &Inner, returned: &Returned) -> Result<Person> {
    let provider = &*returned.provider;
    let code = returned.answer.get("code").ok_or_else(|| {
        Error::invalid("malformed_callback", "the callback has neither a code nor an error: pass it on whole, or start again")
    })?;
    let tokens = exchange(inner, returned, code).await?;
    let access_token = tokens.access_token.map(Secret::from);
    match &returned.endpoints.identity {
        IdentitySource::IdToken { keys, userinfo } => {
            let missing = || provider.refused("id_token_missing", "sent no ID token");
            let id_token = tokens.id_token.map(Secret::from).ok_or_else(missing)?;
            let told = Told { nonce: &returned.pending.nonce, access_token: access_token.as_ref().map(Secret::expose), code };
            let token =
                provider.id_token(inner, keys, id_token.expose(), told).await.map_err(|e| e.with_provider(&provider.name))?;
            let mut profile = token.profile;
            if let (None, Some(userinfo), Some(access_token)) = (&profile.email, userinfo, &access_token) {
                profile = more(inner, provider, userinfo, access_token, &token.subject, profile).await?;
            }
            let name = profile.name.clone().or_else(|| posted_name(returned));
            Ok(Person {
                provider: provider.name.clone(),
                is_email_trusted: is_trusted(provider, &profile),
                email: profile.email,
                issuer: token.issuer,
                subject: token.subject,
                name,
            }
            .fit())
        }
        IdentitySource::GitHub { issuer, user, emails } => {
            let access_token = access_token.ok_or_else(|| malformed(provider))?;
            let user: GitHubUser = document(inner, provider, user, &access_token).await?;
            let emails: Vec<GitHubEmail> = document(inner, provider, emails, &access_token).await?;
            // Only the primary one is the account's own word for itself.
            let primary = emails.into_iter().find(|email| email.primary);
            Ok(Person {
                provider: provider.name.clone(),
                issuer: issuer.clone(),
                subject: user.id.to_string(),
                is_email_trusted: provider.email == EmailTrust::Claim && primary.as_ref().is_some_and(|email| email.verified),
                email: primary.map(|email| email.email),
                name: user.name.or(Some(user.login)),
            }
            .fit())
        }
    }
}

impl Person {
    /// Without what is no address, and with a name of one line. What cannot be an address cannot be anybody's.
    fn fit(self) -> Self {
        let email = self.email.filter(|address| email::canonical(address).is_ok());
        let line = |name: String| -> String { name.chars().filter(|c| !c.is_control()).take(LONGEST_NAME).collect() };
        let name = self.name.map(line).map(|name| name.trim().to_owned()).filter(|name| !name.is_empty());
        Self { is_email_trusted: self.is_email_trusted && email.is_some(), email, name, ..self }
    }
}

/// Sends the code to the provider that was begun, and to nobody else.
async fn exchange(inner: &Inner, returned: &Returned, code: &str) -> Result<Tokens> {
    let (provider, endpoints) = (&*returned.provider, &*returned.endpoints);
    let secret = provider.secret.now(&provider.client_id, inner.now())?;
    let mut form = vec![
        ("grant_type", "authorization_code"),
        ("code", code),
        ("redirect_uri", returned.redirect_uri()),
        ("code_verifier", &returned.pending.verifier),
    ];
    let mut headers = HeaderMap::from_iter([
        (ACCEPT, HeaderValue::from_static("application/json")),
        (CONTENT_TYPE, HeaderValue::from_static("application/x-www-form-urlencoded")),
    ]);
    // A client without a secret still says which one it is.
    let how = if secret.is_some() { endpoints.client_auth } else { oauth::ClientAuth::Body };
    oauth::authenticate(how, &provider.client_id, secret.as_ref(), &mut headers, &mut form)?;
    let body = form_urlencoded::Serializer::new(String::new()).extend_pairs(&form).finish().into_bytes();
    let request =
        Request { method: Method::POST, url: endpoints.token.clone(), headers, body, timeout: super::provider::TIMEOUT };
    let answer = provider.send(inner, request).await?;
    let refusal = (answer.status < 500).then(|| serde_json::from_slice::<Value>(&answer.body).ok()).flatten();
    // GitHub refuses with a status of success.
    if let Some(code) = refusal.as_ref().and_then(|document| document["error"].as_str()) {
        return Err(refused(provider, code, answer.status));
    }
    serde_json::from_slice(&provider.body(answer)?).map_err(|_| malformed(provider))
}

fn refused(provider: &Provider, code: &str, status: u16) -> Error {
    let error = match code {
        "invalid_grant" | "bad_verification_code" => Error::invalid("code_refused", "the provider refused the code: start again"),
        code => {
            let code = printable(code);
            let text = format!("the provider's token endpoint refused with `{code}`: check client id, secret and redirect URI");
            Error::new(ErrorKind::Provider, "token_refused", text)
        }
    };
    error.with_provider(&provider.name).with_status(status)
}

fn malformed(provider: &Provider) -> Error {
    provider.refused("token_answer_malformed", "answered the code with something that is no token")
}

/// What the UserInfo endpoint tells beyond the ID token, of the same person (§5.3.2, §5.3.4).
async fn more(
    inner: &Inner,
    provider: &Provider,
    userinfo: &Url,
    access_token: &Secret,
    subject: &str,
    told: Profile,
) -> Result<Profile> {
    let mut profile: Profile = document(inner, provider, userinfo, access_token).await?;
    if profile.sub.as_deref() != Some(subject) {
        return Err(provider.refused("userinfo_of_another", "told of somebody else at its UserInfo endpoint"));
    }
    profile.name = profile.name.or(told.name);
    Ok(profile)
}

async fn document<T: serde::de::DeserializeOwned>(
    inner: &Inner,
    provider: &Provider,
    url: &Url,
    access_token: &Secret,
) -> Result<T> {
    let headers = HeaderMap::from_iter([(AUTHORIZATION, secret_header(&format!("Bearer {}", access_token.expose()))?)]);
    let answer = provider.get(inner, url.clone(), headers).await?;
    let malformed = |_| provider.refused("profile_malformed", "did not say whose account it is");
    serde_json::from_slice(&provider.body(answer)?).map_err(malformed)
}

/// Whether an address is believed to be the person's.
fn is_trusted(provider: &Provider, profile: &Profile) -> bool {
    let says_so = profile.says_verified();
    match provider.email {
        EmailTrust::Never => false,
        EmailTrust::Claim => says_so,
        EmailTrust::Authoritative => says_so && (profile.hd.is_some() || is_gmail(profile.email.as_deref())),
        EmailTrust::DomainOwner => provider.trusts_tenants() || profile.is_domain_owner_verified(),
    }
}

fn is_gmail(email: Option<&str>) -> bool {
    email.and_then(|email| email::canonical(email).ok()).is_some_and(|email| email.ends_with("@gmail.com"))
}

/// The name that Apple's page posts, the first time only. The person may have typed it, so it is a name and nothing more.
fn posted_name(returned: &Returned) -> Option<String> {
    let user: Value = serde_json::from_str(returned.answer.get("user")?).ok()?;
    let part = |name: &str| user["name"][name].as_str();
    let parts: Vec<&str> = ["firstName", "lastName"].into_iter().filter_map(part).collect();
    Some(parts.join(" "))
}
