//! `oauthlib` verifies every signature, and lets no nonce come twice.

use super::browser::http;
use super::server::{Server, Visit};
use super::skipped;
use crate::support::*;
use atom_core::*;
use std::sync::OnceLock;

fn app(url: &str, signature: &str) -> ProviderApp {
    let manifest = format!(
        r#"
        schema = 1
        name = "classic"
        title = "Classic"
        docs = "https://oauthlib.readthedocs.io"
        verified_at = "2026-11-28"
        hosts = ["127.0.0.1"]

        [methods.oauth1]
        type = "oauth1"
        title = "Sign in at Classic"
        request_url = "{url}/request"
        authorize_url = "{url}/decide"
        access_url = "{url}/access"
        signature = "{signature}"
        account_id = "user_id"
        label = "screen_name"
        "#
    );
    ProviderApp {
        provider: "classic".into(),
        client_id: "atomsclientatomsclient".into(),
        client_secret: Some("a secret: 50% & more".into()),
        redirect_uri: "https://app.example.com/callback/oauth1".into(),
        manifest: Some(manifest),
        ..Default::default()
    }
}

async fn journey(signature: &str) {
    static SERVER: OnceLock<Option<Server>> = OnceLock::new();
    let Some(server) = SERVER.get_or_init(|| Server::start("oauth1.py")).as_ref() else { return skipped() };
    let Visit(server) = &Visit(server);
    let database = Database::sqlite();
    let atom = database.builder().provider(app(&server.url, signature)).open().await.unwrap();
    let (_, scope) = sign_up(&atom, "ada@example.com").await;
    let connections = scope.connections();
    let authorization = connections.start(start("classic")).await.unwrap();
    let callback = http().get(authorization.url).send().await.unwrap().text().await.unwrap();
    let connection = connections.complete(callback.clone()).await.unwrap();
    let account = connection.account().await.unwrap();
    assert_eq!((account.account_id.as_str(), account.label.as_deref()), ("ada", Some("Ada L")));
    assert_eq!(connections.complete(callback).await.err().unwrap().reason(), "state_unknown");

    let mut request = RawRequest { method: "GET".into(), url: format!("{}/photos?a=1", server.url), ..Default::default() };
    request.query = Some([("tricky".to_owned(), "ä & b = c + d * e ~ f / g ? h % i".to_owned())].into());
    for _ in 0..3 {
        let answer = connection.request(request.clone()).await.unwrap();
        let query = answer.json.unwrap().0;
        assert_eq!((answer.status, &query["query"]["tricky"][0]), (200, &"ä & b = c + d * e ~ f / g ? h % i".into()));
    }
    request.method = "POST".into();
    request.json = Some(Json(serde_json::json!({"not": "signed"})));
    assert_eq!(connection.request(request.clone()).await.unwrap().status, 200);
    request.json = None;
    request.headers = Some([("content-type".to_owned(), "application/x-www-form-urlencoded".to_owned())].into());
    request.content = Some(Bytes::from("c2=&a3=2+q&%C3%BC=~".as_bytes()));
    assert_eq!(connection.request(request).await.unwrap().status, 200);

    let wrong = ProviderApp { client_secret: Some("guessed".into()), ..app(&server.url, signature) };
    let atom = Database::sqlite().builder().provider(wrong).open().await.unwrap();
    let (_, scope) = sign_up(&atom, "eve@example.com").await;
    assert_eq!(scope.connections().start(start("classic")).await.err().unwrap().reason(), "token_refused");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn an_account_is_connected_and_requests_are_signed_with_hmac_sha1() {
    journey("HMAC-SHA1").await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn an_account_is_connected_and_requests_are_signed_with_hmac_sha256() {
    journey("HMAC-SHA256").await;
}
