//! OAuth 1.0a (RFC 5849): every request is signed.

use super::{Ask, Granted, Method, Opened, Opening};
use crate::connect::authenticate::secret_header;
use crate::connect::identity::Identity;
use crate::connect::start::Pending;
use crate::connect::token_endpoint::TIMEOUT;
use crate::connect::{App, ConnectFlow};
use crate::crypto::{BoxFuture, hex, random};
use crate::http_client::Request;
use crate::integrations::failure;
use crate::providers::{OAuth1, Signature, UrlTemplate};
use crate::vault::TokenSet;
use crate::{Error, ErrorKind, Result, Secret};
use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use chrono::Utc;
use reqwest::header::{AUTHORIZATION, CONTENT_TYPE, HeaderMap};
use ring::hmac;
use std::collections::HashMap;
use url::form_urlencoded;

/// The field that holds the token's secret.
const TOKEN_SECRET: &str = "oauth_token_secret";

/// Who signs: the host's client and, once there is one, a token.
#[derive(Clone, Copy)]
struct Signer<'a> {
    signature: Signature,
    consumer: (&'a str, &'a str),
    token: Option<(&'a str, &'a str)>,
}

/// What is new in every request (§3.3).
struct Stamp {
    timestamp: i64,
    nonce: String,
}

impl Stamp {
    /// By the clock of the machine: the provider compares it with its own.
    fn new() -> Result<Self> {
        Ok(Self { timestamp: Utc::now().timestamp(), nonce: hex(&random::<12>()?) })
    }
}

impl<'a> Signer<'a> {
    fn new(app: &'a App, signature: Signature, token: Option<(&'a str, &'a str)>) -> Self {
        let secret = app.client_secret.as_ref().map_or("", Secret::expose);
        Self { signature, consumer: (&app.client_id, secret), token }
    }

    /// The `Authorization` header of a request (§3.5.1), with further parameters of the protocol.
    fn header(&self, request: &Request, extra: &[(&str, &str)], stamp: &Stamp) -> String {
        let method = match self.signature {
            Signature::HmacSha1 => "HMAC-SHA1",
            Signature::HmacSha256 => "HMAC-SHA256",
        };
        let timestamp = stamp.timestamp.to_string();
        let mut params = vec![
            ("oauth_consumer_key", self.consumer.0),
            ("oauth_signature_method", method),
            ("oauth_timestamp", &timestamp),
            ("oauth_nonce", &stamp.nonce),
            ("oauth_version", "1.0"),
        ];
        params.extend(self.token.map(|(token, _)| ("oauth_token", token)));
        params.extend(extra);
        let signature = self.sign(&base_string(request, &params));
        params.push(("oauth_signature", &signature));
        let parts: Vec<_> = params.iter().map(|(name, value)| format!("{name}=\"{}\"", encode(value))).collect();
        format!("OAuth {}", parts.join(", "))
    }

    /// §3.4.2.
    fn sign(&self, base_string: &str) -> String {
        let algorithm = match self.signature {
            Signature::HmacSha1 => hmac::HMAC_SHA1_FOR_LEGACY_USE_ONLY,
            Signature::HmacSha256 => hmac::HMAC_SHA256,
        };
        let secrets = format!("{}&{}", encode(self.consumer.1), encode(self.token.map_or("", |(_, secret)| secret)));
        STANDARD.encode(hmac::sign(&hmac::Key::new(algorithm, secrets.as_bytes()), base_string.as_bytes()))
    }
}

/// §3.6: the unreserved characters of RFC 3986 stay.
fn encode(text: &str) -> String {
    use std::fmt::Write;
    text.bytes().fold(String::with_capacity(text.len()), |mut out, byte| {
        if byte.is_ascii_alphanumeric() || b"-._~".contains(&byte) {
            out.push(char::from(byte));
        } else {
            let _ = write!(out, "%{byte:02X}");
        }
        out
    })
}

/// §3.4.1: method, address and all parameters, wherever they stand.
fn base_string(request: &Request, protocol: &[(&str, &str)]) -> String {
    let mut params: Vec<(String, String)> = protocol.iter().map(|(name, value)| (encode(name), encode(value))).collect();
    params.extend(request.url.query_pairs().map(|(name, value)| (encode(&name), encode(&value))));
    let kind = request.headers.get(CONTENT_TYPE).and_then(|kind| kind.to_str().ok()).unwrap_or_default();
    if kind.split(';').next().is_some_and(|kind| kind.trim().eq_ignore_ascii_case("application/x-www-form-urlencoded")) {
        params.extend(form_urlencoded::parse(&request.body).map(|(name, value)| (encode(&name), encode(&value))));
    }
    params.sort();
    let params: Vec<_> = params.iter().map(|(name, value)| format!("{name}={value}")).collect();
    // §3.4.1.2: without query, with the port only where it is not the scheme's.
    let mut address = request.url.clone();
    address.set_query(None);
    address.set_fragment(None);
    [request.method.as_str(), address.as_str(), &params.join("&")].map(encode).join("&")
}

impl OAuth1 {
    /// Asks for credentials (§2.1, §2.3). The answer is a form.
    async fn ask(
        &self,
        Ask { inner, app, facts }: Ask<'_>,
        url: &UrlTemplate,
        token: Option<(&str, &str)>,
        extra: &[(&str, &str)],
    ) -> Result<HashMap<String, String>> {
        let named = |e: Error| e.with_provider(&app.manifest.name);
        let mut request = Request {
            method: reqwest::Method::POST,
            url: app.place(url, facts)?,
            headers: HeaderMap::new(),
            body: Vec::new(),
            timeout: TIMEOUT,
        };
        let header = Signer::new(app, self.signature, token).header(&request, extra, &Stamp::new()?);
        request.headers.insert(AUTHORIZATION, secret_header(&header)?);
        let answer = app.outlet(inner).send(request).await.map_err(named)?;
        match answer.status {
            200..=299 => {}
            429 | 500.. => return Err(named(failure::unavailable(answer.status, &answer.headers))),
            status => {
                let text = format!("the provider refused with status {status}: check client id, secret and redirect URI");
                return Err(named(Error::new(ErrorKind::Provider, "token_refused", text).with_status(status)));
            }
        }
        let answer: HashMap<_, _> = form_urlencoded::parse(&answer.body).into_owned().collect();
        if ["oauth_token", TOKEN_SECRET].iter().any(|name| answer.get(*name).is_none_or(String::is_empty)) {
            let text = "the provider answered something that is no token";
            return Err(named(Error::new(ErrorKind::Provider, "token_answer_malformed", text)));
        }
        Ok(answer)
    }
}

impl Method for OAuth1 {
    fn flow(&self) -> ConnectFlow {
        ConnectFlow::Browser
    }

    fn is_fixed(&self) -> bool {
        true
    }

    fn open<'a>(&'a self, ask: Ask<'a>, opening: Opening<'a>) -> BoxFuture<'a, Result<Opened>> {
        Box::pin(async move {
            let answer = self.ask(ask, &self.request_url, None, &[("oauth_callback", opening.redirect_uri)]).await?;
            if answer.get("oauth_callback_confirmed").is_none_or(|confirmed| confirmed != "true") {
                // §2.1: a server of the version before, in which the user's session could be fixed.
                let text = "the provider speaks a version of OAuth 1 that is not safe: it did not confirm the callback";
                return Err(Error::new(ErrorKind::Provider, "callback_not_confirmed", text));
            }
            let (token, secret) = (answer["oauth_token"].clone(), answer[TOKEN_SECRET].as_str().into());
            let mut url = ask.app.place(&self.authorize_url, ask.facts)?;
            url.query_pairs_mut().append_pair("oauth_token", &token).extend_pairs(&self.authorize_query);
            Ok(Opened { key: token, secret, url: Some(url.into()), link_token: None })
        })
    }

    fn complete<'a>(
        &'a self,
        ask: Ask<'a>,
        pending: Pending,
        answer: &'a HashMap<String, String>,
    ) -> BoxFuture<'a, Result<Granted>> {
        Box::pin(async move {
            if answer.contains_key("denied") {
                let text = "the user declined: ask again when they want to connect";
                return Err(Error::new(ErrorKind::Cancelled, "consent_declined", text));
            }
            let (Some(token), Some(verifier)) = (answer.get("oauth_token"), answer.get("oauth_verifier")) else {
                let text = "the callback has neither a verifier nor a refusal: start again";
                return Err(Error::invalid("malformed_callback", text));
            };
            let extra = [("oauth_verifier", verifier.as_str())];
            let answer = self.ask(ask, &self.access_url, Some((token, &pending.secret)), &extra).await;
            let answer = answer.map_err(|error| match error.reason() {
                "token_refused" => Error::invalid("code_refused", "the provider refused the verifier: start again"),
                _ => error,
            })?;
            let named = |name: &Option<String>| name.as_ref().and_then(|name| answer.get(name)).cloned();
            let account = named(&self.account_id).map(|account_id| Identity {
                account_id,
                label: named(&self.label),
                ..Default::default()
            });
            let tokens = TokenSet {
                access_token: Some(answer["oauth_token"].as_str().into()),
                fields: [(TOKEN_SECRET.to_owned(), answer[TOKEN_SECRET].as_str().into())].into(),
                ..Default::default()
            };
            Ok(Granted { account, ..tokens.into() })
        })
    }

    fn authenticate(&self, app: &App, tokens: &TokenSet, request: &mut Request) -> Result<()> {
        let secret = tokens.fields.get(TOKEN_SECRET).map_or("", Secret::expose);
        let token = tokens.access_token.as_ref().map(|token| (token.expose(), secret));
        let header = Signer::new(app, self.signature, token).header(request, &[], &Stamp::new()?);
        request.headers.insert(AUTHORIZATION, secret_header(&header)?);
        Ok(())
    }
}

#[cfg(test)]
#[path = "oauth1_tests.rs"]
mod tests;
