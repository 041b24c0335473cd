//! `oidc-provider` demands PKCE and names itself in every callback, rotates refresh tokens, and ends the family of one that comes back.

use super::browser::{Choice, form, forms, http, link, visit};
use super::server::{Server, Visit};
use super::skipped;
use crate::support::*;
use atom_core::*;
use chrono::TimeDelta;
use serde_json::{Value, json};
use std::collections::HashSet;
use std::sync::OnceLock;
use std::time::Duration;

const REDIRECT_URI: &str = "https://app.example.com/callback/oidc";
/// Long enough that a test decides by the clock when a token is in its last tenth, and so renewed.
pub(super) const LIFETIME: i64 = 120;
pub(super) const ALMOST: TimeDelta = TimeDelta::seconds(LIFETIME - 6);

fn manifest(url: &str) -> String {
    format!(
        r#"
        schema = 1
        name = "oidc"
        title = "Identity of the house"
        docs = "https://github.com/panva/node-oidc-provider"
        verified_at = "2026-11-21"
        hosts = ["127.0.0.1"]

        [auth]
        issuer = "{url}"
        issuer_required = true
        authorize_url = "{url}/auth"
        # Without it, the provider leaves `offline_access` out.
        authorize_query = {{ prompt = "consent" }}
        token_url = "{url}/token"
        revoke_url = "{url}/token/revocation"
        introspection_url = "{url}/token/introspection"
        client_auth = "basic"
        base_scopes = ["openid", "offline_access", "email"]

        [identity]
        url = "{url}/me"
        account_id = "sub"
        email = "email"

        [methods.device]
        type = "device"
        title = "Code on another device"
        device_url = "{url}/device/auth"

        # The host's own client. Nobody is signed in, so nobody can be asked who it is.
        [methods.app]
        type = "client_credentials"
        title = "As the app itself"
        token_url = "{url}/token"
        client_auth = "basic"
        fields = [{{ name = "account", title = "Name" }}]
        account_field = "account"
        "#
    )
}

/// A client of one test's own, so that what it sees is its own doing.
pub(super) struct Oidc {
    visit: Visit,
    http: reqwest::Client,
    client_id: String,
    client_secret: String,
}

impl Oidc {
    /// Registers it (RFC 7591), unless the server is not to run.
    pub(super) async fn client(access_token_lifetime: i64) -> Option<Self> {
        Self::registered(access_token_lifetime, false).await
    }

    /// One that is not told how long its tokens live.
    pub(super) async fn kept_in_the_dark(access_token_lifetime: i64) -> Option<Self> {
        Self::registered(access_token_lifetime, true).await
    }

    async fn registered(access_token_lifetime: i64, withholds_lifetimes: bool) -> Option<Self> {
        static SERVER: OnceLock<Option<Server>> = OnceLock::new();
        let visit = Visit(SERVER.get_or_init(|| Server::start("oidc.mjs")).as_ref()?);
        let client = json!({
            "redirect_uris": [REDIRECT_URI],
            "grant_types": [
                "authorization_code", "refresh_token", "client_credentials", "urn:ietf:params:oauth:grant-type:device_code"
            ],
            "response_types": ["code"],
            "token_endpoint_auth_method": "client_secret_basic",
            "access_token_lifetime": access_token_lifetime,
            "withholds_lifetimes": withholds_lifetimes,
        });
        let request = http().post(format!("{}/reg", visit.0.url)).header("content-type", "application/json");
        let registered = parse(request.body(client.to_string())).await;
        let text = |name: &str| registered[name].as_str().unwrap_or_else(|| panic!("{registered}")).to_owned();
        Some(Self { http: http(), client_id: text("client_id"), client_secret: text("client_secret"), visit })
    }

    pub(super) fn url(&self, path: &str) -> String {
        format!("{}{path}", self.visit.0.url)
    }

    pub(super) fn app(&self) -> ProviderApp {
        ProviderApp {
            provider: "oidc".into(),
            client_id: self.client_id.clone(),
            client_secret: Some(self.client_secret.as_str().into()),
            redirect_uri: REDIRECT_URI.into(),
            manifest: Some(manifest(&self.visit.0.url)),
            export_tokens: Some(true),
            ..Default::default()
        }
    }

    /// The same client, for signing in.
    pub(super) fn sign_in_provider(&self) -> SignInProvider {
        SignInProvider {
            name: "oidc".into(),
            issuer: Some(self.visit.0.url.clone()),
            client_id: self.client_id.clone(),
            client_secret: Some(self.client_secret.as_str().into()),
            redirect_uri: REDIRECT_URI.into(),
            private_network: Some(true),
            ..Default::default()
        }
    }

    pub(super) async fn connect(&self, scope: &Scope, login: &str) -> Connection {
        let authorization = scope.connections().start(start("oidc")).await.unwrap();
        scope.connections().complete(approve(&authorization.url, login).await).await.unwrap()
    }

    pub(super) fn me(&self) -> RawRequest {
        RawRequest { method: "GET".into(), url: self.url("/me"), ..Default::default() }
    }

    /// What the token endpoint was asked for by this client, and how it answered.
    pub(super) async fn exchanges(&self) -> Vec<String> {
        let url = self.url(&format!("/exchanges?client_id={}", self.client_id));
        serde_json::from_value(parse(self.http.get(url)).await).unwrap()
    }

    /// Whether the provider itself holds a token for good (RFC 7662).
    pub(super) async fn is_active(&self, token: &Secret) -> bool {
        let encode = |text: &str| url::form_urlencoded::byte_serialize(text.as_bytes()).collect::<String>();
        let request = self.http.post(self.url("/token/introspection"));
        let request = request.basic_auth(encode(&self.client_id), Some(encode(&self.client_secret)));
        parse(form(request, &[("token", token.expose())])).await["active"] == true
    }

    /// Lets an access token die before its time.
    pub(super) async fn expire(&self, token: &Secret) {
        parse(self.http.get(self.url(&format!("/expire?token={}", token.expose())))).await;
        assert!(!self.is_active(token).await);
    }
}

async fn parse(request: reqwest::RequestBuilder) -> Value {
    let answer = request.send().await.unwrap().text().await.unwrap();
    serde_json::from_str(&answer).unwrap_or_else(|e| panic!("{e}: {answer}"))
}

/// The user signs in and agrees.
pub(super) async fn approve(url: &str, login: &str) -> String {
    let answer = |page: &str| {
        let form = forms(page).pop().unwrap_or_else(|| panic!("no form: {page}"));
        let is_login = form.fields.contains_key("login");
        Choice::Submit(if is_login { form.fill("login", login).fill("password", "anything") } else { form })
    };
    visit(url, answer).await
}

pub(super) fn repeat(exchange: &str, times: usize) -> Vec<String> {
    let first = std::iter::once("authorization_code ok".to_owned());
    first.chain(std::iter::repeat_n(exchange.to_owned(), times)).collect()
}

/// Fifty callers at once. Returns the different results.
async fn fifty<T>(call: impl Fn() -> T) -> HashSet<T::Output>
where
    T: Future<Output: Send + Eq + std::hash::Hash> + Send + 'static,
{
    let callers: Vec<_> = (0..50).map(|_| tokio::spawn(call())).collect();
    let mut results = HashSet::new();
    for caller in callers {
        results.insert(caller.await.unwrap());
    }
    results
}

on_both!(an_account_is_connected_with_pkce_and_iss, |database| async move {
    let Some(oidc) = Oidc::client(LIFETIME).await else { return skipped() };
    let atom = database.builder().provider(oidc.app()).open().await.unwrap();
    let (_, scope) = sign_up(&atom, "ada@example.com").await;
    let authorization = scope.connections().start(start("oidc")).await.unwrap();
    let callback = approve(&authorization.url, "ada").await;
    let iss = format!("iss={}", url::form_urlencoded::byte_serialize(oidc.url("").as_bytes()).collect::<String>());
    assert!(callback.starts_with(REDIRECT_URI) && callback.contains(&iss), "{callback}");

    let connection = scope.connections().complete(callback.clone()).await.unwrap();
    let account = connection.account().await.unwrap();
    assert_eq!((account.account_id.as_str(), account.email.as_deref()), ("ada", Some("ada@example.com")));
    assert_eq!(HashSet::from_iter(account.scopes), HashSet::from(["openid", "offline_access", "email"].map(str::to_owned)));
    assert_eq!(connection.request(oidc.me()).await.unwrap().status, 200);

    let again = scope.connections().complete(callback.clone()).await.err().unwrap();
    assert_eq!(again.reason(), "state_unknown");
    for wrong in ["", "iss=https%3A%2F%2Fevil.example"] {
        let authorization = scope.connections().start(start("oidc")).await.unwrap();
        let callback = approve(&authorization.url, "ada").await.replace(&iss, wrong);
        assert_eq!(scope.connections().complete(callback).await.err().unwrap().reason(), "wrong_issuer");
    }
    assert_eq!(oidc.exchanges().await, ["authorization_code ok"], "no other code was sent");
});

on_both!(a_user_may_decline, |database| async move {
    let Some(oidc) = Oidc::client(LIFETIME).await else { return skipped() };
    let atom = database.builder().provider(oidc.app()).open().await.unwrap();
    let (_, scope) = sign_up(&atom, "ada@example.com").await;
    let authorization = scope.connections().start(start("oidc")).await.unwrap();
    let callback = visit(&authorization.url, |page| Choice::Follow(link(page, "Cancel").unwrap())).await;
    let error = scope.connections().complete(callback).await.err().unwrap();
    assert_eq!((error.kind(), error.reason(), error.provider()), (ErrorKind::Cancelled, "consent_declined", Some("oidc")));
});

on_both!(a_code_from_another_consent_is_refused_by_its_verifier, |database| async move {
    let Some(oidc) = Oidc::client(LIFETIME).await else { return skipped() };
    let atom = database.builder().provider(oidc.app()).open().await.unwrap();
    let (_, scope) = sign_up(&atom, "ada@example.com").await;
    let (_, thief) = sign_up(&atom, "eve@example.com").await;
    let victims = approve(&scope.connections().start(start("oidc")).await.unwrap().url, "ada").await;
    let thiefs = approve(&thief.connections().start(start("oidc")).await.unwrap().url, "eve").await;
    let code = |callback: &str| callback.split(['?', '&']).find(|p| p.starts_with("code=")).unwrap().to_owned();

    let injected = thiefs.replace(&code(&thiefs), &code(&victims));
    let error = thief.connections().complete(injected).await.err().unwrap();
    assert_eq!((error.kind(), error.reason()), (ErrorKind::Invalid, "code_refused"));
    assert!(thief.connections().list().await.unwrap().is_empty());
    scope.connections().complete(victims).await.expect("the code of the one who began still works");
    assert_eq!(oidc.exchanges().await, ["authorization_code invalid_grant", "authorization_code ok"]);
});

on_both!(a_wrong_client_secret_is_named, |database| async move {
    let Some(oidc) = Oidc::client(LIFETIME).await else { return skipped() };
    let app = ProviderApp { client_secret: Some("guessed".into()), ..oidc.app() };
    let atom = database.builder().provider(app).open().await.unwrap();
    let (_, scope) = sign_up(&atom, "ada@example.com").await;
    let callback = approve(&scope.connections().start(start("oidc")).await.unwrap().url, "ada").await;
    let error = scope.connections().complete(callback).await.err().unwrap();
    assert_eq!((error.kind(), error.reason()), (ErrorKind::Provider, "token_refused"));
    assert!(error.to_string().contains("invalid_client"), "{error}");
});

on_both!(fifty_callers_make_one_rotation_and_the_family_lives_on, |database| async move {
    let Some(oidc) = Oidc::client(LIFETIME).await else { return skipped() };
    let clock = TestClock::new();
    let atom = database.builder().clock(clock.clone()).provider(oidc.app()).open().await.unwrap();
    let (_, scope) = sign_up(&atom, "ada@example.com").await;
    let connection = oidc.connect(&scope, "ada").await;
    let token = || {
        let connection = connection.clone();
        async move { connection.access_token().await.unwrap().token.expose().to_owned() }
    };
    let mut seen = HashSet::new();
    for round in 1..=5 {
        clock.advance(ALMOST);
        let tokens = fifty(token).await;
        assert_eq!(tokens.len(), 1, "all get the same token");
        seen.extend(tokens);
        assert_eq!(oidc.exchanges().await, repeat("refresh_token ok", round), "one rotation per expiry");
    }
    assert_eq!(seen.len(), 5);
    assert_eq!(connection.request(oidc.me()).await.unwrap().status, 200);
});

on_both!(fifty_callers_with_a_dead_token_make_one_rotation, |database| async move {
    let Some(oidc) = Oidc::client(LIFETIME).await else { return skipped() };
    let atom = database.builder().provider(oidc.app()).open().await.unwrap();
    let (_, scope) = sign_up(&atom, "ada@example.com").await;
    let connection = oidc.connect(&scope, "ada").await;
    let status = || {
        let (connection, me) = (connection.clone(), oidc.me());
        async move { connection.request(me).await.unwrap().status }
    };
    for round in 1..=3 {
        oidc.expire(&connection.access_token().await.unwrap().token).await;
        assert_eq!(fifty(status).await, HashSet::from([200]), "the 401 never reaches a caller");
        assert_eq!(oidc.exchanges().await, repeat("refresh_token ok", round));
    }
});

on_both!(a_token_that_expired_is_renewed_before_the_call_or_after_the_401, |database| async move {
    let Some(oidc) = Oidc::client(2).await else { return skipped() };
    let clock = TestClock::new();
    let atom = database.builder().clock(clock.clone()).provider(oidc.app()).open().await.unwrap();
    let (_, scope) = sign_up(&atom, "ada@example.com").await;
    let connection = oidc.connect(&scope, "ada").await;
    clock.advance(TimeDelta::seconds(2));
    let token = connection.access_token().await.unwrap().token;
    assert_eq!(oidc.exchanges().await, repeat("refresh_token ok", 1), "before the call");

    // A host whose clock is an hour slow takes the dead token for a living one.
    clock.advance(-TimeDelta::hours(1));
    while oidc.is_active(&token).await {
        tokio::time::sleep(Duration::from_millis(100)).await;
    }
    assert_eq!(connection.request(oidc.me()).await.unwrap().status, 200);
    assert_eq!(oidc.exchanges().await, repeat("refresh_token ok", 2));
});

on_both!(a_restored_backup_ends_the_grant_and_both_sides_notice_it_once, |database| async move {
    let Some(oidc) = Oidc::client(2).await else { return skipped() };
    let clock = TestClock::new();
    let atom = database.builder().clock(clock.clone()).provider(oidc.app()).open().await.unwrap();
    let (session, scope) = sign_up(&atom, "ada@example.com").await;
    let id = oidc.connect(&scope, "ada").await.id();
    atom.shut_down().await.unwrap();

    let backup = database.copy().await;
    let atom = database.builder().clock(clock.clone()).provider(oidc.app()).open().await.unwrap();
    let scope = atom.act_as(session.user.id, session.workspace.id).await.unwrap();
    let connection = scope.connections().open(id).await.unwrap();
    clock.advance(TimeDelta::seconds(3));
    connection.access_token().await.expect("the first to refresh rotates the token");
    clock.advance(TimeDelta::seconds(3));

    let restored = backup.builder().clock(clock.clone()).provider(oidc.app()).open().await.unwrap();
    let restored = restored.act_as(session.user.id, session.workspace.id).await.unwrap();
    let spent = restored.connections().open(id).await.unwrap();
    // The provider sees the spent token come back and ends the family: the living installation loses it too (RFC 9700 §4.14.2).
    for refused in [&spent, &connection] {
        for _ in 0..3 {
            let error = refused.access_token().await.err().unwrap();
            assert_eq!((error.kind(), error.reason()), (ErrorKind::ReauthRequired, "invalid_grant"));
        }
        let account = refused.account().await.unwrap();
        assert_eq!((account.state, account.state_reason.as_deref()), (ConnectionState::ReauthRequired, Some("invalid_grant")));
    }
    let [grant, first, noticed @ ..] = &oidc.exchanges().await[..] else { panic!("too few exchanges") };
    assert_eq!((grant.as_str(), first.as_str()), ("authorization_code ok", "refresh_token ok"));
    assert_eq!(noticed, ["refresh_token invalid_grant", "refresh_token invalid_grant"], "each asked once");

    assert_eq!(oidc.connect(&scope, "ada").await.id(), id);
    connection.access_token().await.expect("connecting again mends it");
});

on_both!(revoking_ends_the_grant_at_the_provider, |database| async move {
    let Some(oidc) = Oidc::client(LIFETIME).await else { return skipped() };
    let atom = database.builder().provider(oidc.app()).open().await.unwrap();
    let (_, scope) = sign_up(&atom, "ada@example.com").await;
    let connection = oidc.connect(&scope, "ada").await;
    let token = connection.access_token().await.unwrap().token;
    assert!(oidc.is_active(&token).await);

    connection.revoke().await.unwrap();
    assert!(!oidc.is_active(&token).await);
    let answer = oidc.http.get(oidc.url("/me")).bearer_auth(token.expose()).send().await.unwrap();
    assert_eq!(answer.status(), 401);
    assert_eq!(connection.account().await.unwrap().state, ConnectionState::Revoked);
    assert_eq!(connection.request(oidc.me()).await.err().unwrap().reason(), "disconnected");
    assert_eq!(oidc.connect(&scope, "ada").await.id(), connection.id());
});

on_both!(two_processes_on_one_database_make_one_rotation, |database| async move {
    let Some(oidc) = Oidc::client(LIFETIME).await else { return skipped() };
    let clock = TestClock::new();
    let open = || database.builder().clock(clock.clone()).provider(oidc.app()).open();
    let (one, other) = (open().await.unwrap(), open().await.unwrap());
    let (session, scope) = sign_up(&one, "ada@example.com").await;
    let connection = oidc.connect(&scope, "ada").await;
    let scope = other.act_as(session.user.id, session.workspace.id).await.unwrap();
    let same = scope.connections().open(connection.id()).await.unwrap();
    let turn = std::sync::atomic::AtomicUsize::new(0);
    let token = || {
        let turn = turn.fetch_add(1, std::sync::atomic::Ordering::Relaxed);
        let connection = if turn.is_multiple_of(2) { connection.clone() } else { same.clone() };
        async move { connection.access_token().await.unwrap().token.expose().to_owned() }
    };
    for round in 1..=5 {
        clock.advance(ALMOST);
        assert_eq!(fifty(token).await.len(), 1, "all get the same token");
        assert_eq!(oidc.exchanges().await, repeat("refresh_token ok", round), "one rotation per expiry");
    }
    assert_eq!(same.request(oidc.me()).await.unwrap().status, 200);
});
