//! Providers that a workspace brings: whose they are, what they may not, and where their requests go.

use crate::support::*;
use atom_core::testing::{VendorStandIn, end_connections};
use atom_core::*;
use std::collections::HashMap;

/// A provider with API keys, on the public internet.
pub(crate) const ACME: &str = r#"
schema = 1
name = "acme"
title = "Acme"
docs = "https://docs.acme.example"
verified_at = "2026-11-29"
hosts = ["api.acme.example", "files.acme.example"]
[methods.api_key]
type = "api_key"
title = "API key"
send = { headers = { X-Key = "{api_key}" } }
[services.main]
base_url = "https://api.acme.example/v1"
[services.main.operations."acme.ping"]
vendor_op = "ping"
path = "/ping"
effect = "read"
"#;

const CALLBACK: &str = "http://127.0.0.1/back";

struct Place {
    atom: Atom,
    vendor: VendorStandIn,
    session: Session,
    scope: Scope,
}

fn builder(database: &Database) -> Builder {
    database.builder().loopback_webhooks(true).workspace_callback_url(CALLBACK)
}

impl Place {
    async fn new(database: &Database) -> Self {
        let vendor = VendorStandIn::start().await.unwrap();
        let atom = builder(database).open().await.unwrap();
        let (session, scope) = sign_up(&atom, "ada@example.com").await;
        Self { atom, vendor, session, scope }
    }

    fn manifest(&self) -> String {
        self.vendor.app().manifest.unwrap()
    }

    /// The stand-in's provider, brought by the workspace.
    async fn register(&self) -> WorkspaceProvider {
        let app = self.vendor.app();
        let new =
            NewWorkspaceProvider { manifest: self.manifest(), client_id: Some(app.client_id), client_secret: app.client_secret };
        self.scope.providers().register(new).await.unwrap()
    }

    async fn connect(&self, scope: &Scope) -> Result<Connection> {
        scope.connections().connect(with_key("vendor", self.vendor.api_key())).await
    }

    fn get(&self) -> RawRequest {
        RawRequest { method: "GET".into(), url: format!("{}/me", self.vendor.url()), ..Default::default() }
    }
}

fn with_key(provider: &str, key: Secret) -> ConnectWith {
    let fields = HashMap::from([("api_key".to_owned(), key)]);
    ConnectWith { provider: provider.into(), method: Some("api_key".into()), fields, ..Default::default() }
}

fn new(manifest: impl Into<String>) -> NewWorkspaceProvider {
    NewWorkspaceProvider { manifest: manifest.into(), ..Default::default() }
}

fn reason<T>(result: Result<T>) -> &'static str {
    result.err().expect("refused").reason()
}

on_both!(a_member_connects_by_consent_at_an_address_that_only_this_provider_has, |database| async move {
    let place = Place::new(&database).await;
    let own = place.register().await;
    let uri = own.redirect_uri.unwrap();
    assert_eq!(uri, format!("{CALLBACK}/{}", own.id));
    place.vendor.register_redirect(&uri);
    let connections = place.scope.connections();
    let authorization = connections.start(start("vendor")).await.unwrap();
    let callback = place.vendor.decide(&authorization.url, Some("ada")).unwrap();
    let elsewhere = callback.replace(&own.id.to_string(), &WorkspaceProviderId::generate().to_string());
    assert_eq!(reason(connections.complete(elsewhere).await), "wrong_redirect_uri");
    let authorization = connections.start(start("vendor")).await.unwrap();
    let callback = place.vendor.decide(&authorization.url, Some("ada")).unwrap();
    let connection = connections.complete(callback).await.unwrap();
    let account = connection.account().await.unwrap();
    assert_eq!((account.provider.as_str(), account.provider_id), ("vendor", Some(own.id)));
    assert_eq!(connection.request(place.get()).await.unwrap().status, 200);
    place.vendor.expire_tokens();
    assert_eq!(connection.request(place.get()).await.unwrap().status, 200, "refreshed");
    let status = connections.status().await.unwrap();
    assert_eq!((status.len(), status[0].is_connected, status[0].accounts.len()), (1, true, 1));
    assert_eq!(reason(connection.access_token().await), "token_export_not_allowed");
    connections.open(connection.id()).await.unwrap().revoke().await.unwrap();
});

on_both!(p41_nothing_of_the_installation_is_shadowed_now_or_later, |database| async move {
    let place = Place::new(&database).await;
    let providers = place.scope.providers();
    for name in ["google", "stripe"] {
        assert_eq!(reason(providers.register(new(ACME.replace("acme\"", &format!("{name}\"")))).await), "provider_name_taken");
    }
    let own = place.register().await;
    assert_eq!(reason(providers.register(new(place.manifest())).await), "provider_name_taken");
    let connection = place.connect(&place.scope).await.unwrap();

    // The host brings one of the same name, at another place.
    let hosts = VendorStandIn::start().await.unwrap();
    let later = builder(&database).provider(hosts.app()).open().await.unwrap();
    let scope = later.act_as(place.session.user.id, place.session.workspace.id).await.unwrap();
    let old = scope.connections().open(connection.id()).await.unwrap();
    assert_eq!(old.request(place.get()).await.unwrap().status, 200, "it is still the workspace's");
    let theirs = RawRequest { method: "GET".into(), url: format!("{}/me", hosts.url()), ..Default::default() };
    let hits = hosts.hits("/me");
    assert_eq!(old.request(theirs.clone()).await.unwrap().status, 200, "one loopback host is as the other");
    assert_eq!(hosts.hits("/me"), hits + 1);
    assert_eq!(reason(scope.connections().connect(with_key("vendor", hosts.api_key())).await), "other_provider");
    assert_eq!(old.account().await.unwrap().provider_id, Some(own.id));
    old.revoke().await.unwrap();
    let anew = scope.connections().connect(with_key("vendor", hosts.api_key())).await.unwrap();
    assert_eq!(anew.account().await.unwrap().provider_id, None, "the installation's goes first");
    // And without it, its connection does not fall to the workspace's.
    assert_eq!(reason(place.scope.connections().open(anew.id()).await), "unknown_provider");
    assert_eq!(
        reason(
            later
                .act_as(place.session.user.id, place.session.workspace.id)
                .await
                .unwrap()
                .providers()
                .register(new(place.manifest()))
                .await
        ),
        "provider_name_taken"
    );
});

on_both!(p41_another_workspace_neither_sees_nor_uses_it, |database| async move {
    let place = Place::new(&database).await;
    let own = place.register().await;
    let connection = place.connect(&place.scope).await.unwrap();
    let (_, eve) = sign_up(&place.atom, "eve@example.com").await;
    assert!(eve.providers().list(WorkspaceProviderFilter::default()).await.unwrap().items.is_empty());
    assert_eq!(reason(eve.providers().get("vendor".into()).await), "not_found");
    let patch = WorkspaceProviderPatch { revision: 1, client_id: Some("eve".into()), ..Default::default() };
    assert_eq!(reason(eve.providers().update("vendor".into(), patch).await), "not_found");
    assert_eq!(reason(eve.providers().remove("vendor".into(), Some(true)).await), "not_found");
    assert_eq!(reason(place.connect(&eve).await), "unknown_provider");
    assert_eq!(reason(eve.connections().start(start("vendor")).await), "unknown_provider");
    assert_eq!(reason(eve.connections().open(connection.id()).await), "not_found");
    assert!(eve.connections().status().await.unwrap().is_empty());
    // One of the same name is another one.
    let hers = eve.providers().register(new(place.manifest())).await.unwrap();
    assert_ne!(hers.id, own.id);
});

on_both!(members_see_and_connect_and_only_admins_without_a_purpose_change, |database| async move {
    let place = Place::new(&database).await;
    place.register().await;
    let bob = member(&database, &place.atom, &place.session, "bob@example.com", Role::Member).await;
    assert_eq!(bob.providers().list(WorkspaceProviderFilter::default()).await.unwrap().items.len(), 1);
    place.connect(&bob).await.unwrap();
    assert_eq!(reason(bob.providers().register(new(ACME)).await), "not_an_admin");
    assert_eq!(reason(bob.providers().check(ACME.into()).await), "not_an_admin");
    assert_eq!(reason(bob.providers().remove("vendor".into(), None).await), "not_an_admin");
    let bound = place.scope.for_purpose(Purpose { purpose: "sync".into(), tool: None }).await.unwrap();
    assert_eq!(reason(bound.providers().register(new(ACME)).await), "purpose_fixed");
    assert_eq!(reason(bound.providers().remove("vendor".into(), None).await), "purpose_fixed");
});

on_both!(what_a_workspace_may_not_say_is_refused, |database| async move {
    let atom = database.open().await;
    let (_, scope) = sign_up(&atom, "ada@example.com").await;
    let providers = scope.providers();
    for host in ["127.0.0.1", "localhost", "10.0.0.1", "169.254.169.254", "[::1]", "2130706433"] {
        let manifest = ACME.replace("files.acme.example", host);
        assert_eq!(reason(providers.register(new(manifest)).await), "address_not_public", "{host}");
    }
    let plain = ACME.replace("https://api.acme.example/v1", "http://api.acme.example/v1");
    assert_eq!(reason(providers.register(new(plain)).await), "malformed_manifest");
    let hooked = ACME.replace("path = \"/ping\"", "hook = \"anything\"");
    assert_eq!(reason(providers.register(new(hooked)).await), "hook_not_allowed");
    let large = format!("{ACME}# {}", "x".repeat(256 * 1024));
    assert_eq!(reason(providers.register(new(large)).await), "manifest_too_large");
    let consent = r#"
        [auth]
        authorize_url = "https://api.acme.example/authorize"
        token_url = "https://api.acme.example/token"
        [identity]
        url = "https://api.acme.example/me"
        account_id = "id"
    "#;
    let error = providers.register(new(format!("{ACME}{consent}"))).await.unwrap_err();
    assert_eq!(error.reason(), "workspace_callback_url_missing");
    assert!(error.to_string().contains("workspace_callback_url"));
    for n in 0..50 {
        providers.register(new(ACME.replace("acme\"", &format!("acme-{n}\"")))).await.unwrap();
    }
    assert_eq!(reason(providers.register(new(ACME)).await), "too_many_providers");
    let page = WorkspaceProviderFilter { page_size: Some(30), cursor: None };
    let first = providers.list(page).await.unwrap();
    let rest = WorkspaceProviderFilter { page_size: Some(30), cursor: first.next_cursor };
    let rest = providers.list(rest).await.unwrap();
    assert_eq!((first.items.len(), rest.items.len(), rest.next_cursor), (30, 20, None));
});

on_both!(p27_no_request_of_a_workspaces_provider_goes_into_a_network, |database| async move {
    let place = Place::new(&database).await;
    place.register().await;
    let connection = place.connect(&place.scope).await.unwrap();
    // Without the switch of development: where the host does not say so, this machine is not reached.
    let private = |name: &str| (name.to_owned(), vec!["10.0.0.7".parse().unwrap()]);
    let mut strict = database.builder();
    for (name, addresses) in ["api.acme.example", "files.acme.example"].map(private) {
        strict = strict.resolve(name, addresses);
    }
    let strict = strict.open().await.unwrap();
    let scope = strict.act_as(place.session.user.id, place.session.workspace.id).await.unwrap();
    let hits = place.vendor.hits("/me");
    let here = scope.connections().open(connection.id()).await.unwrap();
    assert!(matches!(reason(here.request(place.get()).await), "address_not_public" | "https_only"));
    assert_eq!(place.vendor.hits("/me"), hits);

    // A name is not what it seems: it is looked at when it is resolved.
    let more = r#"
        [methods.client]
        type = "client_credentials"
        title = "Client"
        token_url = "https://files.acme.example/token"
        [identity]
        url = "https://api.acme.example/me"
        account_id = "id"
        [services.main.operations."acme.download"]
        vendor_op = "download"
        path = "/file"
        effect = "read"
        answer = "bytes"
    "#;
    let (identity, rest) = (more.find("[identity]").unwrap(), more.find("[services").unwrap());
    let probed = format!("{ACME}{}", more);
    scope.providers().register(new(probed)).await.unwrap();
    assert_eq!(reason(scope.connections().connect(with_key("acme", "k".into())).await), "address_not_public", "identity");
    let client = ConnectWith { provider: "acme".into(), method: Some("client".into()), ..Default::default() };
    assert_eq!(reason(scope.connections().connect(client).await), "address_not_public", "token endpoint");
    let unprobed = format!("{ACME}{}", &more[rest..]).replace("acme\"", "blind\"").replace("\"acme.", "\"blind.");
    assert!(identity < rest);
    scope.providers().register(new(unprobed)).await.unwrap();
    let blind = scope.connections().connect(with_key("blind", "k".into())).await.unwrap();
    let input = || Json(serde_json::json!({}));
    assert_eq!(reason(blind.call("blind.ping".into(), input()).await), "address_not_public", "operation");
    assert_eq!(reason(blind.download("blind.download".into(), input()).await), "address_not_public", "download");
    let raw = RawRequest { method: "GET".into(), url: "https://api.acme.example/x".into(), ..Default::default() };
    assert_eq!(reason(blind.request(raw).await), "address_not_public", "raw");
});

on_both!(p41_no_change_leads_the_tokens_of_members_elsewhere, |database| async move {
    let place = Place::new(&database).await;
    let own = place.register().await;
    let providers = place.scope.providers();
    let change = |revision, text: String| WorkspaceProviderPatch { revision, manifest: Some(text), ..Default::default() };
    // Nobody is connected: everything may change.
    let manifest = place.manifest().replace("base_scopes = [\"read\"]", "base_scopes = [\"write\"]");
    assert_eq!(providers.update("vendor".into(), change(1, manifest)).await.unwrap().revision, 2);
    let uri = own.redirect_uri.unwrap();
    place.vendor.register_redirect(&uri);
    let begun = place.scope.connections().start(start("vendor")).await.unwrap();
    let callback = place.vendor.decide(&begun.url, Some("ada")).unwrap();
    providers.update("vendor".into(), change(2, place.manifest())).await.unwrap();
    assert_eq!(reason(place.scope.connections().complete(callback).await), "provider_changed", "begun with the one before");

    let bob = member(&database, &place.atom, &place.session, "bob@example.com", Role::Member).await;
    let connection = place.connect(&bob).await.unwrap();
    let url = place.vendor.url();
    for (was, becomes) in [
        ("hosts = [\"127.0.0.1\"]", "hosts = [\"127.0.0.1\", \"evil.example\"]".to_owned()),
        ("hosts = [\"127.0.0.1\"]", "hosts = [\"127.0.0.1\"]\ndownload_hosts = [\"evil.example\"]".to_owned()),
        (&format!("token_url = \"{url}/token\"\nbase"), format!("token_url = \"{url}/stolen\"\nbase")),
        (
            &format!("authorize_url = \"{url}/authorize\""),
            format!("authorize_url = \"{url}/authorize\"\nrevoke_url = \"{url}/x\""),
        ),
        (&format!("url = \"{url}/me\""), format!("url = \"{url}/stolen\"")),
        ("X-Vendor-Key", "X-Other".to_owned()),
    ] {
        let text = place.manifest();
        assert!(text.contains(was), "{was}");
        let refused = providers.update("vendor".into(), change(3, text.replacen(was, &becomes, 1))).await;
        assert_eq!(reason(refused), "hosts_changed", "{becomes}");
    }
    let retitled = place.manifest().replace("title = \"Vendor\"", "title = \"The Vendor\"");
    let patch = WorkspaceProviderPatch { client_secret: Some("rotated".into()), ..change(3, retitled) };
    assert_eq!(providers.update("vendor".into(), patch).await.unwrap().provider.title, "The Vendor");
    let again = bob.connections().open(connection.id()).await.unwrap();
    assert_eq!(again.request(place.get()).await.unwrap().status, 200, "existing connections go on");
    let other = place.manifest().replace("name = \"vendor\"", "name = \"other\"");
    assert_eq!(reason(providers.update("vendor".into(), change(4, other)).await), "provider_renamed");
    assert_eq!(reason(providers.update("vendor".into(), change(3, place.manifest())).await), "provider_changed");
});

on_both!(p41_of_two_that_register_one_name_at_once_one_wins, |database| async move {
    let place = Place::new(&database).await;
    let other = builder(&database).open().await.unwrap();
    let there = other.act_as(place.session.user.id, place.session.workspace.id).await.unwrap();
    let (one, two) = (place.scope.providers(), there.providers());
    let (one, two) = tokio::join!(one.register(new(ACME)), two.register(new(ACME)));
    let lost: Vec<_> = [one, two].into_iter().filter_map(Result::err).map(|error| error.reason()).collect();
    assert_eq!(lost, ["provider_name_taken"]);
    assert_eq!(place.scope.providers().list(WorkspaceProviderFilter::default()).await.unwrap().items.len(), 1);
    let entries = AuditFilter { action: Some(AuditAction::ProviderRegistered), ..Default::default() };
    assert_eq!(place.scope.audit().list(entries).await.unwrap().items.len(), 1);
});

on_both!(another_process_sees_a_change_within_the_seconds_of_the_cache, |database| async move {
    let place = Place::new(&database).await;
    let own = place.register().await;
    let connection = place.connect(&place.scope).await.unwrap();
    let other = builder(&database).token_cache_seconds(0.5).open().await.unwrap();
    let there = other.act_as(place.session.user.id, place.session.workspace.id).await.unwrap();
    there.connections().open(connection.id()).await.unwrap();
    let retitled = place.manifest().replace("title = \"Vendor\"", "title = \"New\"");
    let patch = WorkspaceProviderPatch { revision: own.revision, manifest: Some(retitled), ..Default::default() };
    place.scope.providers().update("vendor".into(), patch).await.unwrap();
    assert_eq!(place.scope.connections().status().await.unwrap()[0].title, "New", "here at once");
    tokio::time::sleep(std::time::Duration::from_millis(600)).await;
    assert_eq!(there.connections().status().await.unwrap()[0].title, "New");
});

on_both!(p33_the_sealed_client_and_manifest_outlive_a_rotation_of_keys, |database| async move {
    let place = Place::new(&database).await;
    place.register().await;
    let secret = place.vendor.app().client_secret.unwrap();
    let dump = dump(&database).await.join("\n");
    assert!(!dump.contains(secret.expose()) && !dump.contains("X-Vendor-Key"), "both are sealed");
    let (keys, workspace) = (place.atom.keys(), Some(place.session.workspace.id));
    keys.rotate_workspace(workspace).await.unwrap();
    assert!(keys.reseal(workspace, None).await.unwrap().is_done);
    let fresh = builder(&database).open().await.unwrap();
    let scope = fresh.act_as(place.session.user.id, place.session.workspace.id).await.unwrap();
    assert!(scope.providers().get("vendor".into()).await.unwrap().has_client_secret);
    place.connect(&scope).await.unwrap();
});

on_both!(p38_removing_a_provider_ends_what_is_connected_and_withdraws_it, |database| async move {
    let place = Place::new(&database).await;
    place.register().await;
    let bob = member(&database, &place.atom, &place.session, "bob@example.com", Role::Member).await;
    let fields = HashMap::from([("api_key".to_owned(), place.vendor.api_key()), ("account".to_owned(), "bobs".into())]);
    let named = ConnectWith { provider: "vendor".into(), method: Some("unasked".into()), fields, ..Default::default() };
    let connection = bob.connections().connect(named).await.unwrap();
    let providers = place.scope.providers();
    assert_eq!(reason(providers.remove("vendor".into(), None).await), "provider_in_use");
    // The answer is lost, so it is asked again when the provider is registered no more.
    place.vendor.lose_next("/keys/bobs", 1);
    assert_eq!(providers.remove("vendor".into(), Some(true)).await.unwrap(), 1);
    assert_eq!(place.vendor.hits("/keys/bobs"), 1);
    assert_eq!(connection.account().await.unwrap().state, ConnectionState::Revoked);
    assert_eq!(reason(connection.request(place.get()).await), "disconnected");
    assert_eq!(reason(place.connect(&bob).await), "unknown_provider");
    let ended = AuditFilter { action: Some(AuditAction::Disconnected), ..Default::default() };
    let ended = place.scope.audit().list(ended).await.unwrap().items;
    assert_eq!((ended.len(), ended[0].user_id), (1, Some(place.session.user.id)), "it was the admin's act");
    let names = EventFilter { names: Some(vec!["provider.registered".into(), "provider.removed".into()]), ..Default::default() };
    assert_eq!(place.scope.events().list(names).await.unwrap().items.len(), 2);

    let clock = TestClock::new();
    clock.advance(chrono::TimeDelta::minutes(2));
    let other = builder(&database).clock(clock).open().await.unwrap();
    let options = WorkerOptions { poll_seconds: Some(0.05), ..Default::default() };
    let worker = other.start_worker(HashMap::new(), Some(options)).await.unwrap();
    for _ in 0..200 {
        if place.vendor.hits("/keys/bobs") > 1 {
            break;
        }
        tokio::time::sleep(std::time::Duration::from_millis(50)).await;
    }
    worker.stop().await.unwrap();
    assert_eq!(place.vendor.hits("/keys/bobs"), 2, "withdrawn although the provider is gone");
    // The name is free, and the account is connected anew under its id.
    place.register().await;
    place.connect(&bob).await.unwrap();
});

on_both!(a_workspace_that_ends_takes_along_what_is_connected_at_its_own_providers, |database| async move {
    let place = Place::new(&database).await;
    place.register().await;
    place.connect(&place.scope).await.unwrap();
    assert_eq!(end_connections(&place.atom, place.session.workspace.id, None).await.unwrap(), 1);
});
