//! What a vendor does around its operations: tokens, and whose account it is.

use super::{NOBODY, REFUSED, Recorded, World, credential, json, oauth, whose};
use crate::place;
use crate::sign_in::Step;
use axum::response::Response;
use serde_json::{Map, Value, json};

/// The answer to a request for tokens, identity or revocation; none where it is one for an operation.
pub(super) fn answer(world: &World, request: &Recorded) -> Option<Response> {
    let table = &world.manifest.table;
    let auth = &table["auth"];
    let is_at = |url: &Value| url.as_str().is_some_and(|url| path_fits(path_of(url), &request.path));
    if request.method == "POST" && [&auth["token_url"], &auth["refresh_url"]].into_iter().any(is_at) {
        return Some(token(world, request));
    }
    if [&auth["revoke_url"], &auth["revoke"]["url"]].into_iter().any(is_at) {
        let number = whose(request).map_or(NOBODY, |(number, _)| number);
        return Some(judged(world, Step::Revoke, number, request, || {
            let mut answer = json!({});
            world.manifest.succeed(None, &mut answer);
            json(200, &[], &answer)
        }));
    }
    // Whose account it is is asked while connecting; what may stand at the same path later is an operation.
    let is_connected = whose(request)
        .is_none_or(|(number, _)| world.account(number, |account| account.is_recorder || !account.expected.is_empty()));
    if is_connected {
        return None;
    }
    let body = String::from_utf8_lossy(&request.body);
    let methods = table["methods"].as_object().into_iter().flatten().map(|(name, _)| name.as_str());
    let more = table["identity"]["more"].as_array().into_iter().flatten();
    let identities =
        std::iter::once(&table["identity"]).chain(more).chain(methods.map(|name| &table["methods"][name]["identity"]));
    let found = identities.into_iter().find(|identity| is_identity(identity, request, &body))?;
    Some(identity(world, found, request))
}

/// Judges a request before it is answered, and keeps it.
fn judged(world: &World, step: Step, number: usize, request: &Recorded, answer: impl FnOnce() -> Response) -> Response {
    let faults = oauth::faults(world, step, request, number);
    world.account(number, |account| {
        account.sign_in.push((step, request.clone()));
        account.faults.extend(faults.iter().cloned());
    });
    if faults.is_empty() { answer() } else { json(REFUSED, &[], &json!(faults)) }
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
pub(super) fn path_of(url: &str) -> &str {
    let path = match url.split_once("://") {
        Some((_, rest)) => rest.find('/').map_or("/", |at| &rest[at..]),
        None => url.split_once('}').map_or(url, |(_, path)| path),
    };
    path.split('?').next().unwrap_or_default()
}

/// Placeholders of a template stand for one segment.
pub(super) fn path_fits(template: &str, path: &str) -> bool {
    let (mut wanted, mut given) = (template.split('/'), path.split('/'));
    loop {
        match (wanted.next(), given.next()) {
            (None, None) => return true,
            (Some(wanted), Some(given)) if wanted == given || wanted.starts_with('{') => {}
            _ => return false,
        }
    }
}

fn token(world: &World, request: &Recorded) -> Response {
    let form: Value = oauth::pairs(request).into_iter().map(|(name, value)| (name, value.into())).collect::<Map<_, _>>().into();
    let is_refresh = form["grant_type"] == "refresh_token";
    let step = if is_refresh { Step::Refresh } else { Step::Exchange };
    let grant = ["code", "refresh_token", "assertion"].iter().find_map(|name| credential(form[*name].as_str()?));
    let Some((number, _)) = grant.or_else(|| whose(request)) else { return json(400, &[], &json!({ "error": "invalid_grant" })) };
    judged(world, step, number, request, || {
        let generation = world.account(number, |account| {
            account.refreshes += usize::from(is_refresh);
            account.generation += 1;
            account.generation
        });
        json(200, &[], &tokens(world, number, generation))
    })
}

/// A token set, with what the manifest looks for beside it.
fn tokens(world: &World, number: usize, generation: usize) -> Value {
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
    answer
}

fn identity(world: &World, rules: &Value, request: &Recorded) -> Response {
    let Some((number, _)) = whose(request) else { return json(401, &[], &json!({})) };
    let step = world.sign_in.as_ref().and_then(|sign_in| {
        let is_its = |step: &Step| sign_in.rules(*step).is_some_and(|rules| path_fits(path_of(&rules.url), &request.path));
        sign_in.steps().into_iter().filter(|step| matches!(step, Step::Identity(_))).find(is_its)
    });
    judged(world, step.unwrap_or(Step::Identity(usize::MAX)), number, request, || {
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
    })
}
