//! What a vendor does around its operations: tokens, and whose account it is.

use super::{Recorded, World, credential, json, whose};
use crate::place;
use axum::response::Response;
use serde_json::{Value, json};
use url::form_urlencoded;

/// The answer to a request for tokens, identity or revocation; none where it is one for an operation.
pub(super) fn answer(world: &World, request: &Recorded) -> Option<Response> {
    let table = &world.manifest.table;
    let methods = table["methods"].as_object().into_iter().flatten().map(|(name, _)| name.as_str());
    let is_at =
        |section: &str, field: &str| table[section][field].as_str().is_some_and(|url| path_fits(path_of(url), &request.path));
    let body = String::from_utf8_lossy(&request.body);
    if request.method == "POST" && ["token_url", "refresh_url"].iter().any(|field| is_at("auth", field)) {
        return Some(token(world, request, &body));
    }
    if is_at("auth", "revoke_url") {
        return Some(json(200, &[], &json!({})));
    }
    // Whose account it is is asked while connecting; what may stand at the same path later is an operation.
    let is_connected = whose(request)
        .is_none_or(|(number, _)| world.account(number, |account| account.is_recorder || !account.expected.is_empty()));
    if is_connected {
        return None;
    }
    let more = table["identity"]["more"].as_array().into_iter().flatten();
    let identities =
        std::iter::once(&table["identity"]).chain(more).chain(methods.map(|name| &table["methods"][name]["identity"]));
    let found = identities.into_iter().find(|identity| is_identity(identity, request, &body))?;
    Some(identity(world, found, request))
}

fn is_identity(identity: &Value, request: &Recorded, body: &str) -> bool {
    let Some(url) = identity["url"].as_str() else { return false };
    let path = path_of(url);
    if let Some(document) = identity["graphql"].as_str() {
        let asked = serde_json::from_str::<Value>(body).unwrap_or_default();
        return path_fits(path, &request.path) && asked["query"] == document;
    }
    path_fits(path, &request.path)
}

/// The path of a URL that may have placeholders, or one in place of its scheme and host.
fn path_of(url: &str) -> &str {
    let path = match url.split_once("://") {
        Some((_, rest)) => rest.find('/').map_or("/", |at| &rest[at..]),
        None => url.split_once('}').map_or(url, |(_, path)| path),
    };
    path.split('?').next().unwrap_or_default()
}

/// Placeholders of a template stand for one segment.
fn path_fits(template: &str, path: &str) -> bool {
    let (mut wanted, mut given) = (template.split('/'), path.split('/'));
    loop {
        match (wanted.next(), given.next()) {
            (None, None) => return true,
            (Some(wanted), Some(given)) if wanted == given || wanted.starts_with('{') => {}
            _ => return false,
        }
    }
}

fn token(world: &World, request: &Recorded, body: &str) -> Response {
    let form: Value = if request.content_type.starts_with("application/json") {
        serde_json::from_str(body).unwrap_or_default()
    } else {
        form_urlencoded::parse(body.as_bytes())
            .map(|(name, value)| (name.into_owned(), value.into_owned().into()))
            .collect::<serde_json::Map<_, _>>()
            .into()
    };
    let grant = ["code", "refresh_token", "assertion"].iter().find_map(|name| credential(form[*name].as_str()?));
    let Some((number, _)) = grant.or_else(|| whose(request)) else { return json(400, &[], &json!({ "error": "invalid_grant" })) };
    let generation = world.account(number, |account| {
        account.refreshes += usize::from(form["grant_type"] == "refresh_token");
        account.generation += 1;
        account.generation
    });
    let set = json!({
        "access_token": format!("acct{number}x-access-{generation}"), "refresh_token": format!("acct{number}x-refresh"),
        "token_type": "Bearer", "expires_in": 3600,
    });
    let mut answer = set.clone();
    let auth = &world.manifest.table["auth"];
    for (_, source) in auth["token_sets"].as_object().into_iter().flatten() {
        if let Some(path) = source["path"].as_str() {
            place::set(&mut answer, path, set.clone());
        }
    }
    for (fact, path) in auth["capture"].as_object().into_iter().flatten() {
        place::set(&mut answer, path.as_str().unwrap_or_default(), world.inputs.fact(&world.manifest.name, fact));
    }
    world.manifest.succeed(None, &mut answer);
    json(200, &[], &answer)
}

fn identity(world: &World, rules: &Value, request: &Recorded) -> Response {
    let Some((number, _)) = whose(request) else { return json(401, &[], &json!({})) };
    let mut answer = json!({});
    let mut put = |path: &Value, value: Value| {
        if let Some(path) = path.as_str() {
            place::set(&mut answer, path, value);
        }
    };
    for (fact, path) in rules["facts"].as_object().into_iter().flatten() {
        put(path, world.inputs.fact(&world.manifest.name, fact));
    }
    put(&rules["label"], "Ada".into());
    put(&rules["email"], format!("ada{number}@example.com").into());
    put(&rules["account_id"], number.to_string().into());
    world.manifest.succeed(None, &mut answer);
    json(200, &[], &answer)
}
