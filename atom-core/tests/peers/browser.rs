//! The user's browser, without a screen: cookies, redirects and forms.

use reqwest::header::{CONTENT_TYPE, COOKIE, LOCATION, SET_COOKIE};
use reqwest::{Client, RequestBuilder, Response, Url};
use std::collections::BTreeMap;
use std::sync::Arc;
use std::time::Duration;
use url::form_urlencoded;

/// More pages and redirects than any consent has.
const STEPS: usize = 20;

/// A client for the servers of this folder.
pub(crate) fn http() -> Client {
    let tls = rustls::ClientConfig::builder_with_provider(Arc::new(rustls::crypto::ring::default_provider()))
        .with_safe_default_protocol_versions()
        .unwrap()
        .with_root_certificates(rustls::RootCertStore::empty())
        .with_no_client_auth();
    let client = Client::builder().tls_backend_preconfigured(tls).redirect(reqwest::redirect::Policy::none()).no_proxy();
    client.timeout(Duration::from_secs(30)).build().unwrap()
}

pub(super) fn form(request: RequestBuilder, fields: &[(impl AsRef<str>, impl AsRef<str>)]) -> RequestBuilder {
    let body = form_urlencoded::Serializer::new(String::new()).extend_pairs(fields).finish();
    request.header(CONTENT_TYPE, "application/x-www-form-urlencoded").body(body)
}

/// A form of a page, with what stands in it.
#[derive(Debug)]
pub(super) struct Form {
    action: String,
    pub(super) fields: BTreeMap<String, String>,
}

impl Form {
    pub(super) fn fill(mut self, name: &str, value: &str) -> Self {
        self.fields.insert(name.into(), value.into());
        self
    }
}

/// What the user does with a page.
pub(super) enum Choice {
    Submit(Form),
    /// There is nothing left to do.
    Leave,
    Follow(String),
}

/// A person at a provider: opens the authorization URL, answers every page, and ends where the app is. Returns that URL.
pub(super) async fn visit(authorization_url: &str, answer: impl Fn(&str) -> Choice) -> String {
    let (http, mut cookies) = (http(), BTreeMap::new());
    let mut here = Url::parse(authorization_url).unwrap();
    let provider = here.origin();
    let mut request = http.get(here.clone());
    for _ in 0..STEPS {
        let jar: Vec<_> = cookies.iter().map(|(name, value)| format!("{name}={value}")).collect();
        let response = request.header(COOKIE, jar.join("; ")).send().await.unwrap();
        keep_cookies(&response, &mut cookies);
        if let Some(location) = response.headers().get(LOCATION) {
            here = here.join(location.to_str().unwrap()).unwrap();
            if here.origin() != provider {
                return here.into();
            }
            request = http.get(here.clone());
            continue;
        }
        let (status, page) = (response.status(), response.text().await.unwrap());
        assert!(status.is_success(), "{here} answered {status}: {page}");
        request = match answer(&page) {
            Choice::Leave => return here.into(),
            Choice::Follow(link) => {
                here = here.join(&link).unwrap();
                http.get(here.clone())
            }
            Choice::Submit(filled) => {
                here = here.join(&filled.action).unwrap();
                form(http.post(here.clone()), &Vec::from_iter(filled.fields))
            }
        };
    }
    panic!("the consent did not end after {STEPS} steps, at {here}");
}

/// Paths and lifetimes are left out: one consent at one provider does not need them.
fn keep_cookies(response: &Response, cookies: &mut BTreeMap<String, String>) {
    for cookie in response.headers().get_all(SET_COOKIE) {
        let pair = cookie.to_str().unwrap().split(';').next().unwrap_or_default();
        let (name, value) = pair.split_once('=').unwrap_or((pair, ""));
        cookies.insert(name.to_owned(), value.to_owned());
    }
}

/// The forms of a page, in their order.
pub(super) fn forms(page: &str) -> Vec<Form> {
    let parse = |text: &str| {
        let (tag, rest) = text.split_once('>')?;
        let inside = rest.split("</form>").next()?;
        let inputs = inside.split("<input").skip(1).filter_map(|input| {
            let tag = input.split('>').next()?;
            Some((attribute(tag, "name")?, attribute(tag, "value").unwrap_or_default()))
        });
        Some(Form { action: attribute(tag, "action")?, fields: inputs.collect() })
    };
    page.split("<form ").skip(1).filter_map(parse).collect()
}

/// The target of the first link with this text.
pub(super) fn link(page: &str, text: &str) -> Option<String> {
    page.split("<a ")
        .skip(1)
        .find(|a| a.split("</a>").next().is_some_and(|a| a.contains(text)))
        .and_then(|a| attribute(a, "href"))
}

fn attribute(tag: &str, name: &str) -> Option<String> {
    let value = tag.split_once(&format!("{name}=\""))?.1.split('"').next()?;
    let entities = [("&quot;", "\""), ("&#39;", "'"), ("&lt;", "<"), ("&gt;", ">"), ("&amp;", "&")];
    Some(entities.iter().fold(value.to_owned(), |text, (entity, character)| text.replace(entity, character)))
}
