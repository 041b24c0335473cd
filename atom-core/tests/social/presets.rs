//! The known providers, each as its vendor describes it, and when its word for an address is taken.

use super::*;

const TENANT: &str = "72f988bf-86f1-41af-91ab-2d7cd011db47";
const OTHER_TENANT: &str = "9188040d-6c67-4c5b-b112-36a304b66dad";

/// An account whose address is verified here: only where the provider's word is taken does a person get into it.
async fn with_ada(database: &Database, provider: SignInProvider) -> (Atom, Session) {
    let atom = database.builder().sign_in_provider(provider).open().await.unwrap();
    let (session, _) = sign_up(&atom, "ada@gmail.com").await;
    verify(database, "ada@gmail.com").await;
    (atom, session)
}

async fn is_taken(atom: &Atom, issuer: &IssuerStandIn, provider: &str, claims: Value) -> bool {
    matches!(go(atom, issuer, provider, claims).await.unwrap(), SignIn::SignedIn { .. })
}

on_both!(p10_google_is_believed_of_the_mailboxes_that_it_runs, |database| async move {
    let issuer = IssuerStandIn::start().await.unwrap();
    let (atom, _) = with_ada(&database, issuer.playing("google")).await;
    sign_up(&atom, "ada@own.example").await;
    verify(&database, "ada@own.example").await;
    let told = |sub: &str, email: &str, more: Value| {
        let mut claims = json!({"iss": "https://accounts.google.com", "sub": sub, "email": email});
        claims.as_object_mut().unwrap().extend(more.as_object().unwrap().clone());
        claims
    };
    for (sub, email, more, expected) in [
        ("1", "ada@gmail.com", json!({"email_verified": false}), false),
        ("2", "ada@gmail.com", json!({"email_verified": true}), true),
        ("3", "ada@own.example", json!({"email_verified": true}), false),
        ("4", "ada@own.example", json!({"email_verified": false, "hd": "own.example"}), false),
        ("5", "ada@own.example", json!({"email_verified": true, "hd": "own.example"}), true),
    ] {
        assert_eq!(is_taken(&atom, &issuer, "google", told(sub, email, more.clone())).await, expected, "{email} {more}");
    }
    let foreign = json!({"iss": "https://accounts.evil.example", "sub": "6", "email": "ada@gmail.com"});
    assert_eq!(reason(go(&atom, &issuer, "google", foreign).await), "id_token_issuer_wrong");
    assert_eq!(issuer.hits("/.well-known/openid-configuration"), 0);
    assert_eq!(issuer.hits("/oauth2/v3/certs"), 1);
});

on_both!(p10_github_is_believed_of_verified_primary_addresses, |database| async move {
    let issuer = IssuerStandIn::start().await.unwrap();
    let (atom, ada) = with_ada(&database, issuer.playing("github")).await;
    let person = |id: i64, emails: Value| json!({"id": id, "login": "ada", "name": "Ada", "emails": emails});
    let email = |email: &str, primary: bool, verified: bool| json!({"email": email, "primary": primary, "verified": verified});
    let unverified = person(1, json!([email("ada@gmail.com", true, false)]));
    assert!(!is_taken(&atom, &issuer, "github", unverified).await, "anybody can type an address");
    let secondary = person(2, json!([email("eve@example.com", true, true), email("ada@gmail.com", false, true)]));
    let eve = signed_in(&atom, &issuer, "github", secondary).await;
    assert_eq!((eve.user.email.as_str(), eve.user.id == ada.user.id), ("eve@example.com", false));
    let right = person(3, json!([email("other@example.com", false, false), email("ada@gmail.com", true, true)]));
    assert_eq!(signed_in(&atom, &issuer, "github", right).await.user.id, ada.user.id);
    let none = person(4, json!([]));
    assert_eq!(reason(go(&atom, &issuer, "github", none).await), "email_missing");
    let nobody = json!({"login": "ada", "emails": []});
    assert_eq!(reason(go(&atom, &issuer, "github", nobody).await), "profile_malformed");
    assert_eq!(issuer.hits("/keys"), 0);
});

on_both!(p10_entra_is_believed_of_addresses_whose_domain_owner_vouched_for_them, |database| async move {
    let issuer = IssuerStandIn::start().await.unwrap();
    let microsoft = SignInProvider { tenants: Some(vec![TENANT.into()]), ..issuer.playing("microsoft") };
    let (atom, ada) = with_ada(&database, microsoft).await;
    let told = |sub: &str, tenant: &str, more: Value| {
        let iss = format!("https://login.microsoftonline.com/{tenant}/v2.0");
        let mut claims = json!({"iss": iss, "tid": tenant, "sub": sub, "email": "ada@gmail.com"});
        claims.as_object_mut().unwrap().extend(more.as_object().unwrap().clone());
        claims
    };
    for (sub, more) in [
        ("1", json!({})),
        ("2", json!({"email_verified": true})),
        (
            "3",
            json!({"preferred_username": "ada@gmail.com", "upn": "ada@gmail.com", "verified_primary_email": ["ada@gmail.com"]}),
        ),
        ("4", json!({"xms_edov": false})),
    ] {
        assert!(!is_taken(&atom, &issuer, "microsoft", told(sub, TENANT, more.clone())).await, "{more}");
    }
    let foreign = told("5", OTHER_TENANT, json!({"xms_edov": true}));
    assert_eq!(reason(go(&atom, &issuer, "microsoft", foreign).await), "tenant_not_allowed");
    let mixed = json!({"iss": format!("https://login.microsoftonline.com/{TENANT}/v2.0"), "tid": OTHER_TENANT, "sub": "6"});
    assert_eq!(reason(go(&atom, &issuer, "microsoft", mixed).await), "id_token_issuer_wrong");
    let template = json!({"iss": "https://login.microsoftonline.com/{tenantid}/v2.0", "sub": "7"});
    assert_eq!(reason(go(&atom, &issuer, "microsoft", template).await), "id_token_issuer_wrong");
    let vouched = told("8", TENANT, json!({"xms_edov": "1"}));
    assert_eq!(signed_in(&atom, &issuer, "microsoft", vouched).await.user.id, ada.user.id);
    assert!(issuer.hits(&format!("/{TENANT}/discovery/v2.0/keys")) >= 1, "the directory's own page");
});

on_both!(p10_a_host_may_vouch_for_a_directory_of_its_own, |database| async move {
    let issuer = IssuerStandIn::start().await.unwrap();
    let microsoft = SignInProvider { tenants: Some(vec![TENANT.into()]), trust_email: Some(true), ..issuer.playing("microsoft") };
    let (atom, ada) = with_ada(&database, microsoft).await;
    let iss = format!("https://login.microsoftonline.com/{TENANT}/v2.0");
    let claims = json!({"iss": iss, "tid": TENANT, "sub": "1", "email": "ada@gmail.com"});
    assert_eq!(signed_in(&atom, &issuer, "microsoft", claims).await.user.id, ada.user.id);
});

on_both!(apple_posts_its_answer_and_tells_the_name_the_first_time_only, |database| async move {
    let issuer = IssuerStandIn::start().await.unwrap();
    let pem = include_str!("../../src/testing/vendor/app.pem");
    let key = AppleKey { team_id: "TEAM123456".into(), key_id: "KEY1234567".into(), private_key: pem.into() };
    let apple = SignInProvider { client_secret: None, apple: Some(key), ..issuer.playing("apple") };
    let atom = database.builder().sign_in_provider(apple).open().await.unwrap();
    let claims = || json!({"iss": "https://appleid.apple.com", "sub": "1", "email": "x7@privaterelay.appleid.com", "email_verified": "true"});
    let flow = atom.accounts().begin_social(at("apple")).await.unwrap();
    assert!(flow.url.contains("response_mode=form_post"), "{}", flow.url);
    let mut posted = url::Url::parse(&issuer.decide(&flow.url, Some(claims())).unwrap()).unwrap();
    posted
        .query_pairs_mut()
        .append_pair("user", r#"{"name":{"firstName":"Ada","lastName":"Lovelace"},"email":"eve@example.com"}"#);
    let first = atom.accounts().complete_social(flow.flow_token, posted.into(), None).await.unwrap().signed_in().unwrap();
    assert_eq!(first.user.display_name.as_deref(), Some("Ada Lovelace"));
    assert_eq!(
        (first.user.email.as_str(), first.user.email_verified),
        ("x7@privaterelay.appleid.com", true),
        "not what was posted"
    );
    let again = signed_in(&atom, &issuer, "apple", claims()).await;
    assert_eq!((again.user.id, again.user.display_name.as_deref()), (first.user.id, Some("Ada Lovelace")));

    let secrets = issuer.secrets();
    let part = |i: usize| -> Value {
        let text = secrets[0].split('.').nth(i).unwrap();
        let bytes = base64::Engine::decode(&base64::engine::general_purpose::URL_SAFE_NO_PAD, text).unwrap();
        serde_json::from_slice(&bytes).unwrap()
    };
    assert_eq!(part(0), json!({"alg": "ES256", "kid": "KEY1234567"}));
    let claims = part(1);
    assert_eq!((&claims["iss"], &claims["aud"]), (&json!("TEAM123456"), &json!("https://appleid.apple.com")));
    assert_eq!(claims["sub"], "atom at the house");
    assert_eq!(claims["exp"].as_i64().unwrap() - claims["iat"].as_i64().unwrap(), 300);
    assert_ne!(secrets[0], secrets[1], "one for each exchange");
});
