//! An app that was installed in an account, as GitHub has it: a document that the app signs, for a token of the installation.
//!
//! Whoever has the app's key may name any installation of it. So a host that keeps the key itself lets a user connect only an installation
//! that this user administers: it asks the provider with the user's own token first.

use super::{Ask, Method, credentials_ended, jwt};
use crate::connect::ConnectFlow;
use crate::connect::authenticate::{secret_header, vars};
use crate::connect::token_endpoint::TIMEOUT;
use crate::crypto::BoxFuture;
use crate::http_client::Request;
use crate::integrations::failure;
use crate::providers::AppInstallation;
use crate::vault::TokenSet;
use crate::{Error, ErrorKind, Result};
use chrono::DateTime;
use reqwest::header::{ACCEPT, AUTHORIZATION, HeaderMap, HeaderValue};
use serde_json::Value;

impl AppInstallation {
    async fn ask(&self, Ask { inner, app, facts }: Ask<'_>, known: TokenSet) -> Result<TokenSet> {
        let vars = jwt::expand(&self.jwt, vars(app, &known))?;
        let proof = jwt::sign(&self.jwt, &vars, inner.now())?;
        let headers =
            [(AUTHORIZATION, secret_header(&format!("Bearer {proof}"))?), (ACCEPT, HeaderValue::from_static("application/json"))];
        let url = app.place_with(&self.token_url, vars, facts)?;
        let headers = HeaderMap::from_iter(headers);
        let request = Request { method: reqwest::Method::POST, url, headers, body: Vec::new(), timeout: TIMEOUT };
        let named = |e: Error| e.with_provider(&app.manifest.name);
        let answer = app.outlet(inner).send(request).await.map_err(named)?;
        match answer.status {
            200..=299 => {}
            429 | 500.. => return Err(named(failure::unavailable(answer.status, &answer.headers))),
            // The key was replaced, or the app was removed from the account or suspended there.
            401 | 403 | 404 => return Err(named(credentials_ended()).with_status(answer.status)),
            _ => return Err(failure::classify(&app.manifest, "app installation", &answer)),
        }
        let document: Value = serde_json::from_slice(&answer.body).unwrap_or_default();
        let malformed = || {
            let text = "the provider answered something that is no token of an installation";
            named(Error::new(ErrorKind::Provider, "token_answer_malformed", text))
        };
        let expires_at = self.expires_at.text(&document).and_then(|text| DateTime::parse_from_rfc3339(&text).ok());
        Ok(TokenSet {
            access_token: Some(self.token.text(&document).ok_or_else(malformed)?.into()),
            expires_at: Some(expires_at.ok_or_else(malformed)?.to_utc()),
            // What an installation may do stands in the app, and nobody asks for it here.
            scopes: Vec::new(),
            ..known
        })
    }
}

impl Method for AppInstallation {
    fn flow(&self) -> ConnectFlow {
        ConnectFlow::Fields
    }

    fn is_repeatable(&self) -> bool {
        true
    }

    fn renew<'a>(&'a self, ask: Ask<'a>, _: &'a str, tokens: &'a TokenSet) -> Option<BoxFuture<'a, Result<TokenSet>>> {
        Some(Box::pin(self.ask(ask, tokens.clone())))
    }

    fn account_id(&self, tokens: &TokenSet) -> Option<String> {
        tokens.fields.get(&self.installation).map(|id| id.expose().to_owned())
    }
}
