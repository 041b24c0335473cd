//! Methods that take what the user gives and keep it: API keys and passwords.

use super::*;
use sha2::{Digest, Sha256};

on_both!(an_installation_says_how_each_provider_is_connected, |database| async move {
    let place = Place::new(&database).await;
    let [vendor] = &place.atom.providers()[..] else { panic!("one provider is configured") };
    let names: Vec<_> = vendor.methods.iter().map(|method| (method.name.as_str(), method.flow)).collect();
    let expected = [
        ("oauth2", ConnectFlow::Browser),
        ("api_key", ConnectFlow::Fields),
        ("basic", ConnectFlow::Fields),
        ("client", ConnectFlow::Fields),
        ("installation", ConnectFlow::Fields),
        ("link", ConnectFlow::Browser),
        ("oauth1", ConnectFlow::Browser),
        ("query_key", ConnectFlow::Fields),
        ("unasked", ConnectFlow::Fields),
    ];
    assert_eq!(names, expected);
    let key = &vendor.methods[1].fields[0];
    assert_eq!((key.name.as_str(), key.is_secret, key.is_required), ("api_key", true, true));
    assert_eq!(key.pattern.as_deref(), Some("vk_[a-z]+_[0-9]+"));
    let basic: Vec<_> = vendor.methods[2].fields.iter().map(|field| (field.name.as_str(), field.is_secret)).collect();
    assert_eq!(basic, [("username", false), ("password", true)]);
});

on_both!(an_api_key_is_stored_and_goes_where_the_manifest_says, |database| async move {
    let place = Place::new(&database).await;
    let connection = place.connect("api_key", [("api_key", place.vendor.api_key())]).await.unwrap();
    let account = connection.account().await.unwrap();
    assert_eq!((account.method.as_str(), account.account_id.as_str()), ("api_key", "kay"));
    assert_eq!((account.email.as_deref(), account.expires_at), (Some("kay@vendor.example"), None));
    assert_eq!(place.seen(&connection).await, ("kay".into(), "header".into()));

    let again = place.connect("query_key", [("api_key", place.vendor.api_key())]).await.unwrap();
    assert_eq!(again.id(), connection.id(), "the same account by another method is the same connection");
    assert_eq!(place.seen(&connection).await, ("kay".into(), "query".into()));
    let mut smuggled = place.get("/me?key=other&page=2");
    smuggled.query = Some([("key".to_owned(), "another".to_owned())].into());
    assert_eq!(connection.request(smuggled).await.unwrap().status, 200, "a parameter of the credential's name makes room for it");
});

on_both!(a_password_is_stored_and_sent_as_basic, |database| async move {
    let place = Place::new(&database).await;
    let fields = [("username", "Ada: the first".into()), ("password", place.vendor.password())];
    assert_eq!(reason(place.connect("basic", fields).await), "credentials_refused", "a colon cannot be in a user name");
    let connection = place.connect("basic", [("username", "ada".into()), ("password", place.vendor.password())]).await.unwrap();
    assert_eq!(place.seen(&connection).await, ("ada".into(), "basic".into()));
    let error = connection.access_token().await.err().unwrap();
    assert_eq!((error.kind(), error.reason(), error.provider()), (ErrorKind::Unsupported, "no_bearer_token", Some("vendor")));
    assert_eq!(reason(connection.reconnect().await), "other_flow");
});

on_both!(what_is_wrong_is_refused_and_not_stored, |database| async move {
    let place = Place::new(&database).await;
    let key = || place.vendor.api_key();
    let cases: [Refused; 8] = [
        ("api_key", vec![("api_key", "vk_live_9999".into())], "credentials_refused"),
        ("api_key", vec![("api_key", "a whole sentence".into())], "malformed_field"),
        ("api_key", vec![("api_key", " ".into())], "missing_field"),
        ("api_key", vec![], "missing_field"),
        ("api_key", vec![("api_key", key()), ("password", "x".into())], "unknown_field"),
        ("basic", vec![("username", "ada".into()), ("password", "wrong".into())], "credentials_refused"),
        ("carrier_pigeon", vec![], "unknown_connect_method"),
        ("oauth2", vec![], "other_flow"),
    ];
    for (method, fields, expected) in cases {
        let error = place.connect(method, fields).await.err().unwrap();
        assert_eq!(error.reason(), expected, "{method}");
        assert_eq!(error.provider(), Some("vendor"));
        for secret in ["9999", "sentence", "wrong"] {
            assert!(!format!("{error:?}").contains(secret), "{error:?}");
        }
    }
    let unnamed = ConnectWith { method: None, ..with("", [("api_key", key())]) };
    assert_eq!(reason(place.scope.connections().connect(unnamed).await), "method_needed");
    let start = StartConnection { method: Some("api_key".into()), ..start("vendor") };
    assert_eq!(reason(place.scope.connections().start(start).await), "other_flow");
    place.nothing_is_stored().await;
});

on_both!(an_account_that_cannot_be_asked_for_is_named_by_a_field, |database| async move {
    let place = Place::new(&database).await;
    let fields = |account: &str| [("api_key", place.vendor.api_key()), ("account", account.to_owned().into())];
    let one = place.connect("unasked", fields("shop one")).await.unwrap();
    let two = place.connect("unasked", fields("shop two")).await.unwrap();
    let again = place.connect("unasked", fields("shop one")).await.unwrap();
    assert!(one.id() == again.id() && one.id() != two.id());
    assert_eq!(one.account().await.unwrap().account_id, "shop one");
    assert_eq!(place.vendor.hits("/me"), 0);
});

on_both!(without_any_name_the_same_key_is_the_same_account, |database| async move {
    let vendor = VendorStandIn::start().await.unwrap();
    let key_only = r#"
        schema = 1
        name = "plain"
        title = "Plain"
        docs = "https://plain.example"
        verified_at = "2026-11-21"
        hosts = ["127.0.0.1"]
        [methods.key]
        type = "api_key"
        title = "API key"
        send = { headers = { Authorization = "Token {api_key}" } }
    "#;
    // No client, and no place to come back to: there is no browser.
    let app = ProviderApp { provider: "plain".into(), manifest: Some(key_only.into()), ..Default::default() };
    let atom = database.builder().provider(app).open().await.unwrap();
    let (_, scope) = sign_up(&atom, "ada@example.com").await;
    let connect = async |key: &str| {
        let fields = [("api_key".to_owned(), Secret::from(key))].into();
        let request = ConnectWith { provider: "plain".into(), fields, ..Default::default() };
        scope.connections().connect(request).await.unwrap()
    };
    let (one, again, other) = (connect("key one").await, connect("key one").await, connect("key two").await);
    assert!(one.id() == again.id() && one.id() != other.id());
    let account = one.account().await.unwrap().account_id;
    assert!(account.len() == 32 && !account.contains("key"), "{account}");
    drop(vendor);
});

on_both!(a_key_that_was_withdrawn_is_an_answer_and_asks_nobody_again, |database| async move {
    let place = Place::new(&database).await;
    let connection = place.connect("api_key", [("api_key", place.vendor.api_key())]).await.unwrap();
    place.vendor.withdraw_credentials();
    let before = place.vendor.hits("/me");
    assert_eq!(connection.request(place.get("/me")).await.unwrap().status, 401);
    assert_eq!(place.vendor.hits("/me"), before + 1);
    assert_eq!(connection.account().await.unwrap().state, ConnectionState::Active);
    connection.revoke().await.unwrap();
    assert_eq!(reason(connection.request(place.get("/me")).await), "disconnected");
});

on_both!(p21_what_was_given_is_the_users_own_and_is_written_into_the_log, |database| async move {
    let place = Place::new(&database).await;
    let connection = place.connect("api_key", [("api_key", place.vendor.api_key())]).await.unwrap();
    let (_, bob) = sign_up(&place.atom, "bob@example.com").await;
    assert_eq!(reason(bob.connections().open(connection.id()).await), "not_found");
    let filter = AuditFilter { action: Some(AuditAction::Connected), ..Default::default() };
    let entry = place.scope.audit().list(filter).await.unwrap().items.remove(0);
    assert_eq!((entry.details["provider"].as_str(), entry.details["method"].as_str()), ("vendor", "api_key"));
    assert!(!format!("{entry:?}").contains(place.vendor.api_key().expose()));
});

on_both!(p03_nobody_tries_out_passwords_through_us, |database| async move {
    let place = Place::new(&database).await;
    let attempt = async |n: i32| {
        let fields = [("username", "ada".into()), ("password", format!("guess {n}").into())];
        place.connect("basic", fields).await.err().unwrap()
    };
    let mut last = attempt(0).await;
    for n in 1..70 {
        last = attempt(n).await;
    }
    assert_eq!((last.kind(), last.reason()), (ErrorKind::RateLimited, "too_many_attempts"));
    assert!(place.vendor.hits("/me") <= 60);
});

on_both!(an_account_that_nobody_names_has_a_name_that_stays_and_tells_nothing, |database| async move {
    let vendor = VendorStandIn::start().await.unwrap();
    // A provider that nobody can ask whose account it is.
    let text = vendor.app().manifest.unwrap();
    let (head, key) = (text.split("[auth]").next().unwrap(), text.split("[methods.query_key]").next().unwrap());
    let key = key.split_once("[methods.api_key]").unwrap().1;
    let app = ProviderApp { manifest: Some(format!("{head}[methods.api_key]{key}")), ..vendor.app() };
    let name = async |builder: Builder| {
        let atom = builder.provider(app.clone()).open().await.unwrap();
        let known = Credentials { email: "ada@example.com".into(), password: PASSWORD.into(), ..Default::default() };
        let session = match atom.accounts().sign_in(known).await.and_then(SignIn::signed_in) {
            Ok(session) => session,
            Err(_) => sign_up(&atom, "ada@example.com").await.0,
        };
        let scope = atom.authenticate(session.access_token).await.unwrap();
        let connection = scope.connections().connect(with("api_key", [("api_key", vendor.api_key())])).await.unwrap();
        let account = connection.account().await.unwrap().account_id;
        for owner in [None, Some(session.workspace.id)] {
            atom.keys().rotate_workspace(owner).await.unwrap();
            atom.keys().reseal(owner, None).await.unwrap();
        }
        atom.shut_down().await.unwrap();
        (account, session.workspace.id)
    };
    let (first, workspace) = name(database.builder()).await;
    assert_eq!(first.len(), 32);
    // Whoever has the database and guesses the credential cannot see that they guessed right.
    let (workspace, key) = (workspace.to_string().parse::<uuid::Uuid>().unwrap(), vendor.api_key());
    let parts = [&b"atom account"[..], workspace.as_bytes(), b"api_key", key.expose().as_bytes()];
    let list: Vec<u8> = parts.iter().flat_map(|part| [&(part.len() as u64).to_be_bytes()[..], part].concat()).collect();
    let guess: String = Sha256::digest(list)[..16].iter().map(|byte| format!("{byte:02x}")).collect();
    assert_ne!(first, guess);
    // What sealed the installation's secret was rotated twice meanwhile, and the key-encryption key is another one.
    let successor = || LocalKey::from_base64(&"Hx4dHBsaGRgXFhUUExIREA8ODQwLCgkIBwYFBAMCAQA=".into()).unwrap();
    let old = || LocalKey::from_base64(&KEY.into()).unwrap();
    let atom = database.builder().key(successor()).accept_key(old()).open().await.unwrap();
    atom.keys().rotate(None).await.unwrap();
    atom.shut_down().await.unwrap();
    assert_eq!(name(database.builder().key(successor())).await.0, first, "the same credential is the same account");
});
