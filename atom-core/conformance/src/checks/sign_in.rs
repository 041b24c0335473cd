//! A sign-in: consent, exchange, identity, refresh, revocation; and that the double refuses each of them when it is made wrong.

use super::{Bench, Check};
use crate::coverage::SignInRow;
use crate::double::{CLIENT_ID, CLIENT_SECRET, NOBODY, Recorded, World, encoding, pairs, sign_in_faults};
use crate::sign_in::{ClientAuth, Encoding, Rules, SignIn, Step, addresses};
use atom_core::{Connection, RawRequest};
use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use serde_json::{Map, Value};
use std::collections::BTreeSet;
use url::form_urlencoded;

/// What the sign-in at one provider came to.
pub(super) async fn run(bench: &Bench, number: usize) -> (Option<SignInRow>, Vec<(Check, String)>) {
    let world = &bench.double.world;
    let Some(sign_in) = &world.sign_in else { return (None, Vec::new()) };
    let mut faults: Vec<String> = sign_in.strays(&world.manifest, &world.inputs);
    if let Err(why) = walk(bench, number).await {
        faults.push(why);
    }
    let mut seen = Vec::new();
    for number in [NOBODY, number] {
        let (requests, wrong) =
            world.account(number, |account| (std::mem::take(&mut account.sign_in), std::mem::take(&mut account.faults)));
        seen.extend(requests);
        faults.extend(wrong);
    }
    // The browser sends it, and so nobody has judged it yet.
    for (step, request) in seen.iter().filter(|(step, _)| *step == Step::Authorize) {
        faults.extend(sign_in_faults(world, *step, request, number));
    }
    let asked: BTreeSet<Step> = seen.iter().map(|(step, _)| *step).collect();
    let unasked = sign_in.steps().into_iter().filter(|step| !asked.contains(step));
    faults.extend(unasked.map(|step| format!("{step}: was never asked for")));
    let mut found: Vec<_> = faults.iter().map(|fault| (Check::SignIn, format!("sign-in: {fault}"))).collect();
    let row = SignInRow::of(bench.provider(), sign_in, world.descriptions.is_there(), faults.is_empty());
    if faults.is_empty() {
        found.extend(bite(world, sign_in, &seen, number).into_iter().map(|fault| (Check::SignInBite, fault)));
    }
    (Some(row), found)
}

/// Connects an account, lets its token die early, and ends its grant.
async fn walk(bench: &Bench, number: usize) -> Result<(), String> {
    let world = &bench.double.world;
    let connection = bench.connect(number).await?;
    if !world.manifest.has_consent() {
        return Ok(());
    }
    refresh(world, &connection, number).await?;
    if addresses(&world.manifest).iter().any(|(step, _)| *step == Step::Revoke) {
        connection.revoke().await.map_err(|e| format!("revoke: {e}"))?;
    }
    Ok(())
}

async fn refresh(world: &World, connection: &Connection, number: usize) -> Result<(), String> {
    world.account(number, |account| {
        account.is_recorder = true;
        account.generation += 1;
    });
    let operations = world.manifest.operations();
    let base_url = operations.first().map(|operation| operation.base_url.as_str()).unwrap_or_default();
    let request =
        RawRequest { method: "GET".into(), url: format!("{}/conformance", world.origin(base_url)), ..Default::default() };
    connection.request(request).await.map_err(|e| format!("refresh: {e}"))?;
    match world.account(number, |account| account.refreshes) {
        1 => Ok(()),
        times => Err(format!("refresh: a token that died early took {times} refreshes")),
    }
}

/// Makes each request wrong in every way that it knows; returns those that the double takes.
fn bite(world: &World, sign_in: &SignIn, seen: &[(Step, Recorded)], number: usize) -> Vec<String> {
    let mut taken = Vec::new();
    for (step, right) in seen {
        let Some(rules) = sign_in.rules(*step) else { continue };
        for (how, wrong) in wrongs(*step, rules, right, world) {
            if sign_in_faults(world, *step, &wrong, number).is_empty() {
                taken.push(format!("{step}: the double takes the request {how}"));
            }
        }
    }
    taken
}

fn wrongs(step: Step, rules: &Rules, right: &Recorded, world: &World) -> Vec<(String, Recorded)> {
    let mut wrongs = vec![
        ("with another method".to_owned(), Recorded { method: "PUT".into(), ..right.clone() }),
        ("at another path".to_owned(), Recorded { path: format!("{}/zz", right.path), ..right.clone() }),
    ];
    for name in rules.headers.keys().map(String::as_str).chain(["authorization"]).filter(|name| right.headers.contains_key(*name))
    {
        let mut wrong = right.clone();
        wrong.headers.remove(name);
        wrongs.push((format!("without header `{name}`"), wrong));
        let mut wrong = right.clone();
        wrong.headers.insert(name.to_owned(), "zz".into());
        wrongs.push((format!("with another header `{name}`"), wrong));
    }
    match step {
        Step::Authorize => {
            wrongs.extend(parameters(step, rules, &right.query, &|query| Recorded { query, ..right.clone() }));
        }
        // What the description sees of an operation is proved with the operations.
        Step::Identity(_) if rules.op.is_some() && world.descriptions.is_there() => {}
        Step::Identity(_) => {
            let body = Recorded { content_type: "application/json".into(), body: b"{}".to_vec(), ..right.clone() };
            wrongs.push(("with a body".to_owned(), body));
        }
        _ => {
            let params = pairs(right);
            let written = |params| write(right, encoding(right).unwrap_or(Encoding::None), params);
            wrongs.extend(parameters(step, rules, &params, &written));
            wrongs.extend(encodings(rules, right, &params));
            wrongs.extend(clients(rules, right, &params));
        }
    }
    wrongs
}

/// One parameter missing, twice, with another value, or too many.
fn parameters(
    step: Step,
    rules: &Rules,
    params: &[(String, String)],
    write: &dyn Fn(Vec<(String, String)>) -> Recorded,
) -> Vec<(String, Recorded)> {
    let mut wrongs = Vec::new();
    for (name, value) in rules.required(step) {
        let without: Vec<_> = params.iter().filter(|(known, _)| known != name).cloned().collect();
        let with = |value: &str| [without.as_slice(), &[(name.to_owned(), value.to_owned())]].concat();
        wrongs.push((
            format!("with `{name}` misspelt"),
            write([without.as_slice(), &[(format!("{name}x"), "zz".into())]].concat()),
        ));
        wrongs.push((format!("with an empty `{name}`"), write(with(""))));
        if value != "*" {
            wrongs.push((format!("with another `{name}`"), write(with("zz"))));
        }
        wrongs.push((format!("without `{name}`"), write(without)));
    }
    if !params.is_empty() {
        wrongs.push(("with an unknown parameter".into(), write([params, &[("zz".to_owned(), "zz".to_owned())]].concat())));
    }
    for (name, value) in
        [("code_verifier", "z".repeat(43)), ("token_type_hint", "zz".into()), ("code_challenge_method", "plain".into())]
    {
        if let Some(at) = params.iter().position(|(known, _)| known == name) {
            let mut wrong = params.to_vec();
            wrong[at].1 = value;
            wrongs.push((format!("with another `{name}`"), write(wrong)));
        }
    }
    wrongs
}

/// The same parameters, written otherwise than the vendor takes them, and in the address.
fn encodings(rules: &Rules, right: &Recorded, params: &[(String, String)]) -> Vec<(String, Recorded)> {
    let mut wrongs =
        vec![("as plain text".to_owned(), Recorded { content_type: "text/plain".into(), body: b"zz".to_vec(), ..right.clone() })];
    for (encoding, name) in [(Encoding::Form, "a form"), (Encoding::Json, "JSON")] {
        if !rules.bodies.contains(&encoding) {
            wrongs.push((format!("as {name}"), write(right, encoding, params.to_vec())));
        }
    }
    if !params.is_empty() {
        let moved = write(right, Encoding::None, Vec::new());
        wrongs.push(("with its parameters in the address".into(), Recorded { query: params.to_vec(), ..moved }));
        if encoding(right) == Some(Encoding::Form) {
            wrongs.push((
                "with a parameter that comes twice".into(),
                write(right, Encoding::Form, [params, &params[..1]].concat()),
            ));
        }
    }
    wrongs
}

/// The client's secret missing, wrong, or in a place where the vendor does not look for it.
fn clients(rules: &Rules, right: &Recorded, params: &[(String, String)]) -> Vec<(String, Recorded)> {
    let how = encoding(right).unwrap_or(Encoding::None);
    let anonymous: Vec<_> =
        params.iter().filter(|(name, _)| name != "client_secret" && (name != "client_id" || rules.own)).cloned().collect();
    let with = |header: Option<String>, params: &[(String, String)]| {
        let mut wrong = write(right, how, params.to_vec());
        wrong.headers.remove("authorization");
        wrong.headers.extend(header.map(|header| ("authorization".to_owned(), header)));
        wrong
    };
    let secret = |secret: &str| {
        let own = [("client_id".to_owned(), CLIENT_ID.to_owned()), ("client_secret".to_owned(), secret.to_owned())];
        let mut all: Vec<_> = anonymous.iter().filter(|(name, _)| name != "client_id").cloned().collect();
        all.extend(own);
        all
    };
    let basic = |secret: &str| Some(format!("Basic {}", STANDARD.encode(format!("{CLIENT_ID}:{secret}"))));
    let takes = |how: ClientAuth| rules.client.contains(&how);
    let mut wrongs = Vec::new();
    if !takes(ClientAuth::None) {
        wrongs.push(("without the client".to_owned(), with(None, &anonymous)));
    }
    if !matches!(how, Encoding::None) {
        wrongs.push(("with a wrong secret".to_owned(), with(None, &secret("zz"))));
        wrongs.push(("with the secret in two places".to_owned(), with(basic(CLIENT_SECRET), &secret(CLIENT_SECRET))));
        if !takes(ClientAuth::Body) {
            wrongs.push(("with the secret in the body".to_owned(), with(None, &secret(CLIENT_SECRET))));
        }
    }
    wrongs.push(("with a wrong secret in the header".to_owned(), with(basic("zz"), &anonymous)));
    if !takes(ClientAuth::Basic) {
        wrongs.push(("with the secret in the header".to_owned(), with(basic(CLIENT_SECRET), &anonymous)));
    }
    wrongs
}

fn write(right: &Recorded, how: Encoding, params: Vec<(String, String)>) -> Recorded {
    let (content_type, body) = match how {
        Encoding::Form => (
            "application/x-www-form-urlencoded",
            form_urlencoded::Serializer::new(String::new()).extend_pairs(params).finish().into_bytes(),
        ),
        Encoding::Json => {
            let document: Map<_, _> = params.into_iter().map(|(name, value)| (name, Value::from(value))).collect();
            ("application/json", Value::Object(document).to_string().into_bytes())
        }
        Encoding::None => ("", Vec::new()),
    };
    Recorded { content_type: content_type.into(), body, ..right.clone() }
}
