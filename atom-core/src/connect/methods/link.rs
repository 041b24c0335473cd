//! A widget of the provider's, as Plaid has it: opened with the token of a session, closed with another that is exchanged.

use super::{Ask, Granted, Method, Opened, Opening};
use crate::connect::identity::Identity;
use crate::connect::start::Pending;
use crate::connect::token_endpoint::TIMEOUT;
use crate::connect::{App, ConnectFlow, authenticate};
use crate::crypto::BoxFuture;
use crate::http_client::Request;
use crate::integrations::failure;
use crate::providers::{Link, UrlTemplate, Vars};
use crate::vault::TokenSet;
use crate::{Error, ErrorKind, Result, Secret};
use reqwest::header::{CONTENT_TYPE, HeaderMap, HeaderValue};
use serde_json::Value;
use std::collections::HashMap;

/// The name under which the widget's token comes.
pub(in crate::connect) const PUBLIC_TOKEN: &str = "public_token";

impl Link {
    async fn ask(&self, Ask { inner, app, facts }: Ask<'_>, url: &UrlTemplate, document: Option<Value>) -> Result<Value> {
        let body = document.unwrap_or_default().to_string().into_bytes();
        let headers = HeaderMap::from_iter([(CONTENT_TYPE, HeaderValue::from_static("application/json"))]);
        let request = Request { method: reqwest::Method::POST, url: app.place(url, facts)?, headers, body, timeout: TIMEOUT };
        let answer = app.outlet(inner).send(request).await.map_err(|e| e.with_provider(&app.manifest.name))?;
        if !(200..300).contains(&answer.status) {
            return Err(failure::classify(&app.manifest, "link", &answer));
        }
        serde_json::from_slice(&answer.body).map_err(|_| malformed())
    }
}

fn malformed() -> Error {
    let text = "the provider's answer lacks the token: check `create` and `exchange` of the manifest";
    Error::new(ErrorKind::Provider, "token_answer_malformed", text)
}

/// What the documents of a session are made of.
fn vars(app: &App, more: &[(&str, &str)]) -> Vars {
    let mut vars = authenticate::vars(app, &TokenSet::default());
    vars.extend(more.iter().map(|(name, value)| ((*name).to_owned(), Value::from(*value))));
    vars
}

impl Method for Link {
    fn flow(&self) -> ConnectFlow {
        ConnectFlow::Browser
    }

    fn is_fixed(&self) -> bool {
        true
    }

    fn open<'a>(&'a self, ask: Ask<'a>, opening: Opening<'a>) -> BoxFuture<'a, Result<Opened>> {
        Box::pin(async move {
            let user = opening.user.to_string();
            let vars = vars(ask.app, &[("user_id", &user), ("redirect_uri", opening.redirect_uri)]);
            let answer = self.ask(ask, &self.create.url, self.create.json.render(&vars)).await?;
            let token = self.create.token.text(&answer).ok_or_else(malformed)?;
            let url = self.create.page.as_ref().and_then(|page| page.text(&answer));
            Ok(Opened { key: token.clone(), secret: Secret::default(), url, link_token: Some(token) })
        })
    }

    fn complete<'a>(&'a self, ask: Ask<'a>, _: Pending, answer: &'a HashMap<String, String>) -> BoxFuture<'a, Result<Granted>> {
        Box::pin(async move {
            let public = answer.get(PUBLIC_TOKEN).ok_or_else(|| {
                let text = "this session ends with the token of the provider's widget: use `complete_link`";
                Error::invalid("malformed_callback", text)
            })?;
            let document = self.exchange.json.render(&vars(ask.app, &[(PUBLIC_TOKEN, public)]));
            let answer = self.ask(ask, &self.exchange.url, document).await.map_err(|error| match error.status() {
                Some(400..=499) => Error::invalid("code_refused", "the provider refused the widget's token: start again"),
                _ => error,
            })?;
            let token = self.exchange.access_token.text(&answer).ok_or_else(malformed)?;
            let account_id = self.exchange.account_id.text(&answer).ok_or_else(malformed)?;
            let tokens = TokenSet { access_token: Some(token.into()), ..Default::default() };
            Ok(Granted { account: Some(Identity { account_id, ..Default::default() }), ..tokens.into() })
        })
    }

    fn authenticate(&self, app: &App, tokens: &TokenSet, request: &mut Request) -> Result<()> {
        authenticate::place(&self.send, &authenticate::vars(app, tokens), request)
    }
}
