//! `jose` verifies what is signed for a token.

use super::browser::http;
use super::server::{Server, Visit};
use super::skipped;
use crate::support::*;
use atom_core::*;
use std::sync::OnceLock;

fn app(url: &str, algorithm: &str) -> ProviderApp {
    let manifest = format!(
        r#"
        schema = 1
        name = "robots"
        title = "Robots"
        docs = "https://www.rfc-editor.org/rfc/rfc7523"
        verified_at = "2026-11-28"
        hosts = ["127.0.0.1"]

        [methods.robot]
        type = "signed_jwt"
        title = "Robot"
        fields = [{{ name = "private_key", title = "Private key", secret = true }}, {{ name = "account", title = "Name" }}]
        account_field = "account"
        token_url = "{url}/{algorithm}/token"
        scopes = ["read", "write"]
        scope_separator = ","
        [methods.robot.jwt]
        algorithm = "{algorithm}"
        private_key = "{{private_key}}"
        key_id = "key-1"
        claims = {{ iss = "robot", aud = "{url}/{algorithm}/token", scope = "{{scopes}}" }}
        lifetime = 600
        "#
    );
    ProviderApp { provider: "robots".into(), manifest: Some(manifest), export_tokens: Some(true), ..Default::default() }
}

async fn journey(algorithm: &str, other: &str) {
    static SERVER: OnceLock<Option<Server>> = OnceLock::new();
    let Some(server) = SERVER.get_or_init(|| Server::start("jwt.mjs")).as_ref() else { return skipped() };
    let Visit(server) = &Visit(server);
    let key = async |algorithm: &str| {
        let key = http().get(format!("{}/{algorithm}/key", server.url)).send().await.unwrap();
        Secret::from(key.text().await.unwrap())
    };
    let database = Database::sqlite();
    let atom = database.builder().provider(app(&server.url, algorithm)).open().await.unwrap();
    let (_, scope) = sign_up(&atom, "ada@example.com").await;
    let request = async |key: Secret| {
        let fields = [("private_key".to_owned(), key), ("account".to_owned(), "r2".into())].into();
        scope.connections().connect(ConnectWith { provider: "robots".into(), fields, ..Default::default() }).await
    };
    let (one, two) = (request(key(algorithm).await).await.unwrap(), request(key(algorithm).await).await.unwrap());
    assert_eq!(one.id(), two.id());
    assert!(one.access_token().await.unwrap().expires_at.is_some());
    assert_eq!(request(key(other).await).await.err().unwrap().reason(), "malformed_private_key", "a key of another kind");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_document_signed_with_rsa_is_accepted() {
    journey("RS256", "ES256").await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_document_signed_with_an_elliptic_curve_is_accepted() {
    journey("ES256", "RS256").await;
}
