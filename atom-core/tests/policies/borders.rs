//! Every border where a secret is used for a caller, and none where Atom looks after itself.

use super::*;
use chrono::TimeDelta;

/// What each way to use a secret says.
async fn verdicts(place: &Place) -> [Result<(), &'static str>; 7] {
    let (connection, keys, id) = (&place.connection, place.scope.service_keys(), place.key.id);
    let file = NewFile { name: "a".into(), content: Bytes(b"a".to_vec()), ..Default::default() };
    let verdicts = [
        connection.files().list(ListFiles::default()).await.map(drop),
        connection.files().upload(file).await.map(drop),
        connection.mail().list(ListMessages::default()).await.map(drop),
        connection.request(listing("GET")).await.map(drop),
        connection.access_token().await.map(drop),
        keys.request(id, place.call("GET")).await.map(drop),
        keys.reveal(id).await.map(drop),
    ];
    verdicts.map(|verdict| verdict.map_err(|e| e.reason()))
}

const YES: Result<(), &str> = Ok(());
const NO: Result<(), &str> = Err(DENIED);

on_both!(p41_a_policy_holds_at_every_border, |database| async move {
    let place = Place::open(&database).await;
    assert_eq!(verdicts(&place).await, [YES; 7]);
    let (hits, received) = (place.google.hits("/drive/v3/files".into()).await.unwrap(), place.service.received().len());
    let request = Some(vec![SecretAction::Request]);
    let export = Some(vec![SecretAction::Export]);
    let cases = [
        (deny("p"), [NO; 7]),
        (NewSecretPolicy { actions: request.clone(), ..deny("p") }, [NO, NO, NO, NO, YES, NO, YES]),
        (NewSecretPolicy { actions: export, ..deny("p") }, [YES, YES, YES, YES, NO, YES, NO]),
        (NewSecretPolicy { providers: words(&["google"]), ..deny("p") }, [NO, NO, NO, NO, NO, YES, YES]),
        (NewSecretPolicy { services: words(&["openai"]), ..deny("p") }, [YES, YES, YES, YES, YES, NO, NO]),
        (
            NewSecretPolicy { providers: words(&["slack"]), services: words(&["openai"]), ..deny("p") },
            [YES, YES, YES, YES, YES, NO, NO],
        ),
        (NewSecretPolicy { connection_ids: Some(vec![place.connection.id()]), ..deny("p") }, [NO, NO, NO, NO, NO, YES, YES]),
        (NewSecretPolicy { connection_ids: Some(vec![ConnectionId::generate()]), ..deny("p") }, [YES; 7]),
        (NewSecretPolicy { service_key_ids: Some(vec![place.key.id]), ..deny("p") }, [YES, YES, YES, YES, YES, NO, NO]),
        (NewSecretPolicy { services: words(&["anthropic"]), service_key_ids: Some(vec![place.key.id]), ..deny("p") }, [YES; 7]),
        (NewSecretPolicy { methods: words(&["POST", "DELETE"]), ..deny("p") }, [YES, NO, YES, YES, YES, YES, YES]),
        (NewSecretPolicy { methods: words(&["GET"]), ..allow("p") }, [YES, NO, YES, YES, NO, YES, NO]),
        (NewSecretPolicy { methods: words(&["GET"]), actions: request, ..allow("p") }, [YES, NO, YES, YES, YES, YES, YES]),
        (NewSecretPolicy { roles: Some(vec![Role::Member]), ..deny("p") }, [YES; 7]),
        (NewSecretPolicy { user_ids: Some(vec![UserId::generate()]), ..allow("p") }, [NO; 7]),
        (NewSecretPolicy { user_ids: Some(vec![place.session.user.id]), ..allow("p") }, [YES; 7]),
    ];
    for (policy, expected) in cases {
        place.put(policy.clone()).await;
        assert_eq!(verdicts(&place).await, expected, "{policy:?}");
    }
    place.put(deny("p")).await;
    let sent = (place.google.hits("/drive/v3/files".into()).await.unwrap(), place.service.received().len());
    assert_eq!(verdicts(&place).await, [NO; 7]);
    let after = (place.google.hits("/drive/v3/files".into()).await.unwrap(), place.service.received().len());
    assert_eq!(after, sent, "what is denied is not sent");
    assert!(sent.0 > hits && sent.1 > received);
    place.remove("p").await;
    assert_eq!(verdicts(&place).await, [YES; 7]);
});

on_both!(p41_no_policy_widens_what_leaves, |database| async move {
    let google = GoogleStandIn::start().await.unwrap();
    let inside = ProviderApp { export_tokens: Some(false), ..google.app() };
    let atom = database.builder().provider(inside).open().await.unwrap();
    let (_, scope) = sign_up(&atom, "ada@example.com").await;
    let connection = connect(&scope, &google, "ada@gmail.example").await;
    let new =
        NewServiceKey { service: "openai".into(), value: CANARY.into(), hosts: words(&["api.openai.com"]), ..Default::default() };
    let key = scope.service_keys().create(new).await.unwrap();
    scope.secret_policies().put(allow("everything")).await.unwrap();
    assert_eq!(reason(connection.access_token().await), "token_export_not_allowed");
    assert_eq!(reason(scope.service_keys().reveal(key.id).await), "export_not_allowed");
});

on_both!(a_method_that_a_header_asks_for_must_be_allowed_too, |database| async move {
    let place = Place::open(&database).await;
    place.put(NewSecretPolicy { methods: words(&["DELETE"]), ..deny("no-deletion") }).await;
    let keys = place.scope.service_keys();
    for name in ["X-HTTP-Method-Override", "x-http-method", "X-Method-Override"] {
        let headers = |method: &str| Some([(name.to_owned(), method.to_owned())].into());
        for method in ["DELETE", "delete", " Delete "] {
            let request = RawRequest { headers: headers(method), ..place.call("POST") };
            assert_eq!(reason(keys.request(place.key.id, request).await), DENIED, "{name}: {method}");
            let request = RawRequest { headers: headers(method), ..listing("POST") };
            assert_eq!(reason(place.connection.request(request).await), DENIED, "{name}: {method}");
        }
        keys.request(place.key.id, RawRequest { headers: headers("PATCH"), ..place.call("POST") }).await.unwrap();
    }
});

on_both!(what_atom_does_for_itself_is_not_asked_for, |database| async move {
    let place = Place::open(&database).await;
    place.put(NewSecretPolicy { actions: Some(vec![SecretAction::Request]), ..deny("no-requests") }).await;
    let before = place.google.hits("/token".into()).await.unwrap();
    place.clock.advance(TimeDelta::hours(2));
    place.connection.access_token().await.expect("the token is refreshed on the way");
    assert_eq!(place.google.hits("/token".into()).await.unwrap(), before + 1);
    place.put(deny("nothing")).await;
    let again = connect(&place.scope, &place.google, "ada@gmail.example").await;
    assert_eq!(again.id(), place.connection.id());
    again.revoke().await.expect("ending is nobody's use");
    assert_eq!(place.google.hits("/revoke".into()).await.unwrap(), 1);
});

on_both!(p39_what_a_provider_repeats_of_a_token_is_cut_out_of_its_answer, |database| async move {
    let service = Receiver::start().await;
    let manifest = r#"
        schema = 1
        name = "echo"
        title = "Echo"
        docs = "https://echo.example/docs"
        verified_at = "2026-11-28"
        hosts = ["127.0.0.1"]

        [methods.api_key]
        type = "api_key"
        title = "API key"
        fields = [{ name = "api_key", title = "API key", secret = true }, { name = "account", title = "Account" }]
        account_field = "account"
        send = { headers = { X-Echo-Key = "{api_key}" } }
    "#;
    let echo = ProviderApp { provider: "echo".into(), manifest: Some(manifest.into()), ..Default::default() };
    let atom = database.builder().provider(echo).open().await.unwrap();
    let (_, scope) = sign_up(&atom, "ada@example.com").await;
    let fields = [("api_key".to_owned(), CANARY.into()), ("account".to_owned(), "ada-account".into())];
    let with = ConnectWith { provider: "echo".into(), method: None, fields: fields.into(), scopes: None };
    let connection = scope.connections().connect(with).await.unwrap();
    let url = CANARY.replace('/', "%2F").replace('+', "%2B");
    service.once(
        200,
        &format!("x-echo: {CANARY}\r\n"),
        &format!("{{\"you\": \"ada-account\", \"sent\": \"{CANARY}\", \"url\": \"{url}\"}}"),
    );
    let request = RawRequest { method: "GET".into(), url: service.url("/echo"), ..Default::default() };
    let answer = connection.request(request).await.unwrap();
    assert_eq!(service.received()[0].headers["x-echo-key"], CANARY);
    let expected = serde_json::json!({ "you": "ada-account", "sent": "[redacted]", "url": "[redacted]" });
    assert_eq!((answer.headers["x-echo"].as_str(), answer.json), ("[redacted]", Some(Json(expected))));
});
