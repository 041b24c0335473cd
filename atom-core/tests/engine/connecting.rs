//! What a person says about an account before connecting, what the vendor tells on the way, and where that leads requests.

use super::server::{json as reply, status};
use super::*;
use std::sync::{Arc, Mutex};
use url::Url;

const MANIFEST: &str = r#"
schema = 1
name = "shop"
title = "Shop"
docs = "https://shop.example/docs"
verified_at = "2026-11-28"
hosts = ["127.0.0.1", "{shop}.shop.example", "*.data.shop.example"]

[inputs.shop]
title = "Shop name"
pattern = "[a-z0-9-]{1,60}"
[inputs.region]
title = "Region"
pattern = "eu|us"
default = "eu"

[headers]
Shop-Version = "3"

[auth]
authorize_url = "$url/{shop}/authorize"
token_url = "$url/{shop}/token"
token_body = "json"
token_headers = { X-Token-Version = "2" }
refresh_url = "$url/{shop}/refresh"
refresh_params = { extra = "yes" }
scope_param = "user_scope"
pkce = false
base_scopes = ["a", "b"]
scope_separator = ","
error = "problem.code"
capture = { origin = "api.origin", team_id = "team.id" }
capture_callback = { realm = "realmId" }
[auth.revoke]
method = "DELETE"
url = "$url/{shop}/tokens/{token}"
headers = { X-Access = "{access_token}" }
encoding = "json"
params = { realm = "{realm}" }

[identity]
url = "$url/{shop}/graphql"
graphql = "query { viewer { id mail } }"
account_id = "data.viewer.id"
email = "data.viewer.mail"
facts = { plan = "data.viewer.plan" }

[services.main]
base_url = "{origin}"
[services.main.operations."shop.get"]
vendor_op = "get"
path = "/things/{region}"
effect = "read"
headers = { X-Team = "{team_id}" }
"#;

struct Shop {
    server: Server,
    scope: Scope,
    clock: TestClock,
    origin: Arc<Mutex<String>>,
}

impl Shop {
    async fn new(database: &Database) -> Self {
        let origin = Arc::new(Mutex::new(String::new()));
        let told = origin.clone();
        let server = Server::start(move |asked| {
            let origin = told.lock().unwrap().clone();
            match (asked.method.as_str(), asked.path.as_str()) {
                ("POST", "/ada-s/token") if asked.json()["code"] == "stale" => {
                    reply(json!({"problem": {"code": "invalid_grant"}})).status(400)
                }
                ("POST", "/ada-s/token" | "/ada-s/refresh") => reply(json!({
                    "access_token": "at", "refresh_token": "rt/1", "expires_in": 3600, "api": {"origin": origin}, "team": {"id": 7}
                })),
                ("POST", "/ada-s/graphql") => {
                    reply(json!({"data": {"viewer": {"id": "v1", "mail": "ada@shop.example", "plan": "basic"}}}))
                }
                ("GET", "/things/eu") => reply(json!({"id": "1"})),
                ("DELETE", _) => status(204),
                _ => status(404),
            }
        });
        let server = server.await;
        origin.lock().unwrap().clone_from(&server.url);
        let app = ProviderApp {
            provider: "shop".into(),
            client_id: "cid".into(),
            client_secret: Some("cs".into()),
            redirect_uri: "http://127.0.0.1/shop".into(),
            manifest: Some(MANIFEST.replace("$url", &server.url)),
            ..Default::default()
        };
        let clock = TestClock::new();
        let atom = database.builder().clock(clock.clone()).provider(app).open().await.unwrap();
        let (_, scope) = sign_up(&atom, &format!("ada-{}@example.com", uuid::Uuid::now_v7())).await;
        Self { server, scope, clock, origin }
    }

    async fn start(&self, inputs: &[(&str, &str)]) -> Result<Url> {
        let inputs = inputs.iter().map(|(name, value)| ((*name).to_owned(), (*value).to_owned())).collect();
        let request = StartConnection { inputs: Some(inputs), ..start("shop") };
        Ok(Url::parse(&self.scope.connections().start(request).await?.url).unwrap())
    }

    async fn agree(&self, code: &str) -> Result<Connection> {
        let url = self.start(&[("shop", "ada-s")]).await?;
        let state = url.query_pairs().find(|(name, _)| name == "state").unwrap().1.into_owned();
        self.scope.connections().complete(format!("http://127.0.0.1/shop?code={code}&state={state}&realmId=r9")).await
    }
}

on_both!(inputs_and_what_the_vendor_tells_lead_requests, |database| async move {
    let shop = Shop::new(&database).await;
    let url = shop.start(&[("shop", "ada-s")]).await.unwrap();
    let query: HashMap<_, _> = url.query_pairs().into_owned().collect();
    assert_eq!((url.path(), query["user_scope"].as_str()), ("/ada-s/authorize", "a,b"));
    assert!(!query.contains_key("scope") && !query.contains_key("code_challenge"));

    let connection = shop.agree("c").await.unwrap();
    let account = connection.account().await.unwrap();
    assert_eq!((account.account_id.as_str(), account.email.as_deref()), ("v1", Some("ada@shop.example")));
    let facts = &account.facts;
    let expected =
        [("shop", "ada-s"), ("region", "eu"), ("realm", "r9"), ("team_id", "7"), ("plan", "basic"), ("origin", &shop.server.url)];
    assert_eq!(*facts, expected.into_iter().map(|(name, value)| (name.to_owned(), value.to_owned())).collect());
    let asked = shop.server.asked();
    let token = asked.iter().find(|asked| asked.path.ends_with("/token")).unwrap();
    let sent = token.json();
    assert_eq!((token.headers["x-token-version"].as_str(), &sent["client_id"], &sent["code"]), ("2", &json!("cid"), &json!("c")));
    assert_eq!(sent["code_verifier"], Value::Null);
    let identity = asked.iter().find(|asked| asked.path.ends_with("/graphql")).unwrap();
    assert_eq!(
        (identity.json(), identity.headers["shop-version"].as_str()),
        (json!({"query": "query { viewer { id mail } }"}), "3")
    );

    connection.call("shop.get".into(), Json(json!({}))).await.unwrap();
    let asked = shop.server.asked().pop().unwrap();
    assert_eq!((asked.path.as_str(), asked.headers["x-team"].as_str()), ("/things/eu", "7"));

    // What a refresh tells replaces what was told before.
    let other = Server::start(|_| reply(json!({"id": "2"}))).await;
    shop.origin.lock().unwrap().clone_from(&other.url);
    shop.clock.advance(chrono::TimeDelta::hours(2));
    connection.call("shop.get".into(), Json(json!({}))).await.unwrap();
    let refresh = shop.server.asked().into_iter().find(|asked| asked.path.ends_with("/refresh")).unwrap().json();
    assert_eq!((&refresh["extra"], &refresh["refresh_token"]), (&json!("yes"), &json!("rt/1")));
    assert_eq!(connection.account().await.unwrap().facts["origin"], other.url);
    connection.call("shop.get".into(), Json(json!({}))).await.unwrap();
    assert!(!other.asked().is_empty());

    connection.revoke().await.unwrap();
    let revoked = shop.server.asked().into_iter().find(|asked| asked.method == "DELETE").unwrap();
    assert_eq!((revoked.path.as_str(), revoked.headers["x-access"].as_str()), ("/ada-s/tokens/rt%2F1", "at"));
    assert_eq!(revoked.json(), json!({"realm": "r9"}));
});

on_both!(inputs_that_are_missing_unknown_or_lead_elsewhere_are_refused, |database| async move {
    let shop = Shop::new(&database).await;
    for (inputs, reason) in [
        (&[][..], "missing_field"),
        (&[("shop", "")], "missing_field"),
        (&[("shop", "evil.example/")], "malformed_field"),
        (&[("shop", "a.b")], "malformed_field"),
        (&[("shop", "a@b")], "malformed_field"),
        (&[("shop", "ada-s"), ("region", "mars")], "malformed_field"),
        (&[("shop", "ada-s"), ("origin", "https://evil.example")], "unknown_field"),
    ] {
        assert_eq!(shop.start(inputs).await.err().unwrap().reason(), reason, "{inputs:?}");
    }
    let method = shop.scope.connections().status().await.unwrap();
    assert_eq!(method.len(), 1);
    assert_eq!(shop.agree("stale").await.err().unwrap().reason(), "code_refused");
});

on_both!(an_origin_that_the_vendor_tells_must_be_one_of_its_hosts, |database| async move {
    for origin in [
        "https://evil.example",
        "http://localhost:1",
        "https://shop.example.evil.net",
        "file:///etc",
        "https://127.0.0.1/path",
        "x",
    ] {
        let shop = Shop::new(&database).await;
        origin.clone_into(&mut shop.origin.lock().unwrap());
        let connection = shop.agree("c").await.unwrap();
        let error = connection.call("shop.get".into(), Json(json!({}))).await.err().unwrap();
        assert!(matches!(error.reason(), "host_not_allowed" | "malformed_field"), "{origin}: {error:?}");
        let raw = RawRequest { method: "GET".into(), url: "https://bob.shop.example/x".into(), ..Default::default() };
        assert_eq!(connection.request(raw).await.err().unwrap().reason(), "host_not_allowed", "another shop is not Ada's");
    }
});

const PAYER: &str = r#"
schema = 1
name = "payer"
title = "Payer"
docs = "https://payer.example/docs"
verified_at = "2026-11-28"
hosts = ["127.0.0.1"]

[auth]
authorize_url = "$url/authorize"
token_url = "$url/token"
capture = { payer_id = "payer_id" }
[auth.revoke]
method = "POST"
url = "$url/deauthorize"
encoding = "form"
params = { client_id = "{client_id}", payer = "{payer_id}" }

[identity]
url = "$url/me"
account_id = "id"
"#;

on_both!(a_withdrawal_names_what_was_captured_though_no_address_does, |database| async move {
    let server = Server::start(|asked| match asked.path.as_str() {
        "/token" => reply(json!({"access_token": "at", "payer_id": "p1"})),
        "/me" => reply(json!({"id": "1"})),
        _ => status(200),
    })
    .await;
    let app = ProviderApp {
        provider: "payer".into(),
        client_id: "cid".into(),
        client_secret: Some("cs".into()),
        redirect_uri: "http://127.0.0.1/payer".into(),
        manifest: Some(PAYER.replace("$url", &server.url)),
        ..Default::default()
    };
    let atom = database.builder().provider(app).open().await.unwrap();
    let (_, scope) = sign_up(&atom, "ada@example.com").await;
    let url = Url::parse(&scope.connections().start(start("payer")).await.unwrap().url).unwrap();
    let state = url.query_pairs().find(|(name, _)| name == "state").unwrap().1.into_owned();
    let callback = format!("http://127.0.0.1/payer?code=c&state={state}");
    let connection = scope.connections().complete(callback).await.unwrap();

    connection.revoke().await.unwrap();
    let revoked = server.asked().pop().unwrap();
    let sent: HashMap<_, _> = url::form_urlencoded::parse(&revoked.body).into_owned().collect();
    assert_eq!((revoked.path.as_str(), sent["payer"].as_str(), sent["client_id"].as_str()), ("/deauthorize", "p1", "cid"));
});
