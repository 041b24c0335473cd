//! A flow under attack: who may end it, when, and where.

use super::*;
use chrono::TimeDelta;

fn param(url: &str, name: &str) -> String {
    let url = url::Url::parse(url).unwrap();
    url.query_pairs().find(|(key, _)| key == name).unwrap_or_else(|| panic!("{url} has no {name}")).1.into_owned()
}

fn with_param(url: &str, name: &str, value: &str) -> String {
    let mut url = url::Url::parse(url).unwrap();
    let pairs: Vec<(String, String)> = url.query_pairs().into_owned().filter(|(key, _)| key != name).collect();
    url.query_pairs_mut().clear().extend_pairs(pairs).append_pair(name, value);
    url.into()
}

async fn begun(atom: &Atom, issuer: &IssuerStandIn, sub: &str) -> (Secret, String) {
    let flow = atom.accounts().begin_social(at("house")).await.unwrap();
    let callback = issuer.decide(&flow.url, Some(verified(sub, &format!("{sub}@example.com")))).unwrap();
    (flow.flow_token, callback)
}

async fn end(atom: &Atom, flow_token: &Secret, callback: &str) -> Result<SignIn> {
    atom.accounts().complete_social(flow_token.clone(), callback.to_owned(), None).await
}

on_both!(p25_a_sign_in_ends_in_the_browser_that_began_it_and_once, |database| async move {
    let (atom, issuer) = open(&database).await;
    let (adas, to_ada) = begun(&atom, &issuer, "ada").await;
    let (eves, to_eve) = begun(&atom, &issuer, "eve").await;
    // Eve has Ada's browser bring Eve's callback, so that Ada would go on in Eve's account.
    assert_eq!(reason(end(&atom, &adas, &to_eve).await), "state_unknown");
    let mixed = with_param(&to_eve, "state", &param(&to_ada, "state"));
    assert_eq!(reason(end(&atom, &eves, &mixed).await), "state_unknown");
    for guess in ["", "x"] {
        assert_eq!(reason(end(&atom, &guess.into(), &to_ada).await), "state_unknown");
    }
    assert_eq!(issuer.hits("/token"), 0, "no code was sent");
    end(&atom, &adas, &to_ada).await.unwrap();
    assert_eq!(reason(end(&atom, &adas, &to_ada).await), "state_unknown", "used");
    // Were even the state Ada's, the code is bound to the verifier of the flow that it came from.
    let (adas, to_ada) = begun(&atom, &issuer, "ada").await;
    let injected = with_param(&to_ada, "code", &param(&to_eve, "code"));
    assert_eq!(reason(end(&atom, &adas, &injected).await), "code_refused");
});

on_both!(p25_twenty_browsers_with_one_callback_get_one_session, |database| async move {
    let (atom, issuer) = open(&database).await;
    let (flow_token, callback) = begun(&atom, &issuer, "ada").await;
    let ends = (0..20).map(|_| {
        let (atom, flow_token, callback) = (atom.clone(), flow_token.clone(), callback.clone());
        tokio::spawn(async move { end(&atom, &flow_token, &callback).await.is_ok() })
    });
    let mut won = 0;
    for end in ends.collect::<Vec<_>>() {
        won += usize::from(end.await.unwrap());
    }
    assert_eq!((won, issuer.hits("/token")), (1, 1));
});

on_both!(p25_a_flow_is_over_after_ten_minutes, |database| async move {
    let (clock, issuer) = (TestClock::new(), IssuerStandIn::start().await.unwrap());
    let atom = database.builder().clock(clock.clone()).sign_in_provider(issuer.provider()).open().await.unwrap();
    let (late, callback) = begun(&atom, &issuer, "ada").await;
    clock.advance(TimeDelta::seconds(601));
    assert_eq!(reason(end(&atom, &late, &callback).await), "state_unknown");
    assert_eq!(issuer.hits("/token"), 0);
});

on_both!(p25_a_callback_of_another_address_or_issuer_sends_no_code, |database| async move {
    let (atom, issuer) = open(&database).await;
    issuer.behave(|manners| manners.discovery = json!({"authorization_response_iss_parameter_supported": true}));
    let right = issuer.url();
    for (said, expected) in [(Some("https://evil.example"), "wrong_issuer"), (Some(""), "wrong_issuer"), (None, "wrong_issuer")] {
        let (flow_token, callback) = begun(&atom, &issuer, "ada").await;
        let callback = said.map_or(callback.clone(), |said| with_param(&callback, "iss", said));
        assert_eq!(reason(end(&atom, &flow_token, &callback).await), expected, "{said:?}");
    }
    let (flow_token, callback) = begun(&atom, &issuer, "ada").await;
    let elsewhere = callback.replace("/sign-in/house", "/sign-in/other");
    assert_eq!(reason(end(&atom, &flow_token, &elsewhere).await), "wrong_redirect_uri");
    let (flow_token, callback) = begun(&atom, &issuer, "ada").await;
    assert_eq!(reason(end(&atom, &flow_token, &format!("{callback}&code=another")).await), "malformed_callback");
    assert_eq!(issuer.hits("/token"), 0);
    end(&atom, &flow_token, &with_param(&callback, "iss", &right)).await.unwrap();
});

on_both!(a_user_may_decline, |database| async move {
    let (atom, issuer) = open(&database).await;
    let flow = atom.accounts().begin_social(at("house")).await.unwrap();
    let error = end(&atom, &flow.flow_token, &issuer.decide(&flow.url, None).unwrap()).await.err().unwrap();
    assert_eq!((error.kind(), error.reason(), error.provider()), (ErrorKind::Cancelled, "consent_declined", Some("house")));
});

on_both!(the_consent_asks_for_what_was_said, |database| async move {
    let (atom, _issuer) = open(&database).await;
    let start = SocialStart { login_hint: Some("ada@example.com".into()), locale: Some("de-CH".into()), ..at("house") };
    let url = atom.accounts().begin_social(start).await.unwrap().url;
    assert_eq!((param(&url, "login_hint").as_str(), param(&url, "ui_locales").as_str()), ("ada@example.com", "de-CH"));
    assert_eq!((param(&url, "scope").as_str(), param(&url, "code_challenge_method").as_str()), ("openid email profile", "S256"));
    let refused = [
        (SocialStart { provider: "elsewhere".into(), ..Default::default() }, "unknown_sign_in_provider"),
        (SocialStart { redirect_uri: Some("https://evil.example/".into()), ..at("house") }, "redirect_uri_not_allowed"),
        (SocialStart { locale: Some("<de>".into()), ..at("house") }, "malformed_locale"),
    ];
    for (start, expected) in refused {
        assert_eq!(reason(atom.accounts().begin_social(start).await), expected);
    }
});

on_both!(one_network_begins_only_so_many_flows, |database| async move {
    let (atom, _issuer) = open(&database).await;
    let from = |ip: &str| SocialStart { client: Some(Client { ip: Some(ip.into()), ..Default::default() }), ..at("house") };
    atom.accounts().begin_social(from("2001:db8::1")).await.unwrap();
    sql(&database, "UPDATE atom_counters SET value = 600", "UPDATE atom_counters SET value = 600").await;
    assert_eq!(reason(atom.accounts().begin_social(from("2001:db8::2")).await), "too_many_attempts");
    atom.accounts().begin_social(from("192.0.2.7")).await.unwrap();
});

#[tokio::test]
async fn a_provider_that_cannot_be_right_is_refused_at_once() {
    let known = |name: &str| SignInProvider {
        name: name.into(),
        client_id: "atom".into(),
        redirect_uri: "https://app.example/callback".into(),
        ..Default::default()
    };
    let own = |issuer: &str| SignInProvider { issuer: Some(issuer.into()), ..known("house") };
    let tenants = |list: &[&str]| Some(list.iter().map(|id| (*id).to_owned()).collect());
    let refused = [
        (known("house"), "unknown_sign_in_provider"),
        (known("Google"), "malformed_sign_in_provider"),
        (SignInProvider { client_id: String::new(), ..known("google") }, "malformed_sign_in_provider"),
        (
            SignInProvider { issuer: Some("https://a.example".into()), preset: Some("google".into()), ..known("a") },
            "malformed_sign_in_provider",
        ),
        (own("http://login.example.com"), "malformed_issuer"),
        (own("https://login.example.com?x=1"), "malformed_issuer"),
        (known("microsoft"), "malformed_sign_in_provider"),
        (SignInProvider { tenants: tenants(&["contoso.com"]), ..known("microsoft") }, "malformed_sign_in_provider"),
        (
            SignInProvider { tenants: tenants(&["*"]), trust_email: Some(true), ..known("microsoft") },
            "malformed_sign_in_provider",
        ),
        (SignInProvider { tenants: tenants(&["*"]), ..known("google") }, "malformed_sign_in_provider"),
        (SignInProvider { scopes: tenants(&["email"]), ..known("google") }, "malformed_sign_in_provider"),
        (SignInProvider { redirect_uri: "http://app.example/".into(), ..known("google") }, "malformed_redirect_uri"),
        (SignInProvider { development_endpoint: Some("https://a.example".into()), ..known("google") }, "endpoint_not_loopback"),
        (SignInProvider { apple: Some(AppleKey::default()), ..known("apple") }, "malformed_private_key"),
    ];
    for (i, (provider, expected)) in refused.into_iter().enumerate() {
        assert_eq!(reason(Atom::builder("memory:").sign_in_provider(provider).open().await), expected, "case {i}");
    }
    let both = Atom::builder("memory:").sign_in_provider(known("google")).sign_in_provider(known("github"));
    assert_eq!(reason(both.open().await), "redirect_uri_shared");
    let again = SignInProvider { redirect_uri: "https://app.example/other".into(), ..known("google") };
    assert_eq!(
        reason(Atom::builder("memory:").sign_in_provider(known("google")).sign_in_provider(again).open().await),
        "sign_in_provider_twice"
    );
}
