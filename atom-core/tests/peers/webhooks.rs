//! The libraries of Standard Webhooks verify what Atom sends, and Atom verifies what they sign.

use super::browser::http;
use super::server::{Server, Visit};
use super::skipped;
use crate::support::*;
use atom_core::*;
use std::collections::HashMap;
use std::sync::OnceLock;

const SECRET: &str = "whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw";

/// What a library says about webhooks of ours, and we about one of its own.
async fn each_other(visit: Visit) {
    let Visit(server) = &visit;
    let database = Database::sqlite();
    let atom = database.builder().loopback_webhooks(true).open().await.unwrap();
    let (_, scope) = sign_up(&atom, "ada@example.com").await;
    let webhooks = scope.webhooks();
    let new = NewWebhookEndpoint { url: server.url.clone(), key: Some(SECRET.into()), ..Default::default() };
    let endpoint = webhooks.create(new).await.unwrap();
    let verdict = async || {
        let ping = webhooks.ping(endpoint.id).await.unwrap();
        let attempt = webhooks.attempts(ping.id).await.unwrap().remove(0);
        (attempt.status, attempt.answer.unwrap_or_default())
    };
    let genuine = (Some(200), "genuine webhook.ping".to_owned());
    assert_eq!(verdict().await, genuine);
    let second = webhooks.rotate_key(endpoint.id, Some(600), None).await.unwrap();
    assert_eq!(verdict().await, genuine, "the old key signs too");
    let public = "whsk_6Xb/dCcHpPea21PS1N9VY/NZW723CEc77N4rJCubMbc=";
    webhooks.rotate_key(endpoint.id, Some(600), Some(public.into())).await.unwrap();
    assert_eq!(verdict().await, genuine, "an Ed25519 signature among others is passed over");
    webhooks.rotate_key(endpoint.id, Some(0), Some(second)).await.unwrap();
    assert_eq!(verdict().await.0, Some(401), "the old key is gone");

    let signed = http().get(&server.url).send().await.unwrap();
    let text = |(name, value): (&reqwest::header::HeaderName, &reqwest::header::HeaderValue)| {
        (name.to_string(), value.to_str().unwrap().to_owned())
    };
    let headers: HashMap<_, _> = signed.headers().iter().map(text).collect();
    let body = signed.bytes().await.unwrap();
    let verifier = WebhookVerifier::with_keys(vec![SECRET.into()]).await.unwrap();
    verifier.verify(headers.clone(), body[..].into()).await.unwrap();
    let again = serde_json::from_slice::<serde_json::Value>(&body).unwrap().to_string().replace(':', ": ");
    let error = verifier.verify(headers, again.as_bytes().into()).await.unwrap_err();
    assert_eq!(error.reason(), "webhook_signature_wrong", "JSON that was written again");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn the_javascript_library_and_atom_verify_each_other() {
    static SERVER: OnceLock<Option<Server>> = OnceLock::new();
    match SERVER.get_or_init(|| Server::start("webhooks.mjs")) {
        Some(server) => each_other(Visit(server)).await,
        None => skipped(),
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn the_python_library_and_atom_verify_each_other() {
    static SERVER: OnceLock<Option<Server>> = OnceLock::new();
    match SERVER.get_or_init(|| Server::start("webhooks.py")) {
        Some(server) => each_other(Visit(server)).await,
        None => skipped(),
    }
}
