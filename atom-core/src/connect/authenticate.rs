//! How a request is authenticated: the one place where a credential gets into it.

use super::App;
use super::methods::Way;
use crate::http_client::{Request, basic};
pub(super) use crate::oauth::secret_header;
use crate::providers::{Placement, Template, Vars};
use crate::vault::TokenSet;
use crate::{Error, Result, Secret};
use reqwest::header::{AUTHORIZATION, CONTENT_TYPE, HeaderName, HeaderValue};
use serde_json::{Map, Value};

/// Puts the credential of a connection into a request, as the method that it was obtained with says. The address is the resolved one: a
/// signature covers it.
pub(super) fn authenticate(app: &App, tokens: &TokenSet, request: &mut Request) -> Result<()> {
    Way::find(app, &tokens.method)?.how.authenticate(app, tokens, request).map_err(|e| e.with_provider(&app.manifest.name))
}

/// RFC 6750.
pub(super) fn bearer(tokens: &TokenSet, request: &mut Request) -> Result<()> {
    let token = tokens
        .access_token
        .as_ref()
        .ok_or_else(|| Error::sealed("token_set_damaged", "a stored token set holds no token: connect the account again"))?;
    request.headers.insert(AUTHORIZATION, secret_header(&format!("Bearer {}", token.expose()))?);
    Ok(())
}

/// What the templates of a credential stand for: the host's client, the fields, the token.
pub(super) fn vars(app: &App, tokens: &TokenSet) -> Vars {
    let text = |secret: &Secret| Value::from(secret.expose());
    let mut vars = Map::from_iter([("client_id".to_owned(), app.client_id.as_str().into())]);
    vars.extend(app.client_secret.as_ref().map(|secret| ("client_secret".to_owned(), text(secret))));
    vars.extend(tokens.access_token.as_ref().map(|token| ("access_token".to_owned(), text(token))));
    vars.extend(tokens.fields.iter().map(|(name, value)| (name.clone(), text(value))));
    vars
}

/// Puts a credential where a manifest says. What stands there already makes room.
pub(super) fn place(placement: &Placement, vars: &Vars, request: &mut Request) -> Result<()> {
    let render = |template: &Template| template.render(vars, str::to_owned);
    for (name, template) in &placement.headers {
        let malformed = |_| Error::invalid("malformed_manifest", "a header of `send` has a name that HTTP does not allow");
        let name = HeaderName::from_bytes(name.as_bytes()).map_err(malformed)?;
        if let Some(value) = render(template) {
            request.headers.insert(name, secret_header(&value)?);
        }
    }
    if let Some(pair) = &placement.basic {
        let (username, password) = (render(&pair.username), pair.password.as_ref().and_then(render));
        let text = basic(&username.unwrap_or_default(), &password.unwrap_or_default());
        request.headers.insert(AUTHORIZATION, secret_header(&text)?);
    }
    if !placement.query.is_empty() {
        let kept: Vec<(String, String)> =
            request.url.query_pairs().into_owned().filter(|(name, _)| !placement.query.contains_key(name)).collect();
        let ours = placement.query.iter().filter_map(|(name, template)| Some((name.clone(), render(template)?)));
        let pairs: Vec<_> = kept.into_iter().chain(ours).collect();
        request.url.query_pairs_mut().clear().extend_pairs(pairs);
    }
    if !placement.json.is_empty() {
        let body = if request.body.is_empty() { &b"{}"[..] } else { &request.body };
        let Ok(Value::Object(mut document)) = serde_json::from_slice(body) else {
            let text = "this provider takes its credential in the JSON document that is sent: send one, an object";
            return Err(Error::invalid("malformed_body", text));
        };
        document.extend(placement.json.iter().filter_map(|(name, template)| Some((name.clone(), render(template)?.into()))));
        request.body = Value::Object(document).to_string().into_bytes();
        request.headers.entry(CONTENT_TYPE).or_insert(HeaderValue::from_static("application/json"));
    }
    Ok(())
}
