//! The consent under attack: who may complete it, where it may come back, and who it says it is from.

use crate::support::*;
use atom_core::testing::{GoogleStandIn, VendorStandIn};
use atom_core::*;

fn reason<T>(result: Result<T>) -> &'static str {
    result.err().expect("refused").reason()
}

/// A page of the provider, to which the user comes from a URL of ours.
async fn begin(scope: &Scope, provider: &str) -> String {
    scope.connections().start(start(provider)).await.unwrap().url
}

fn param(url: &str, name: &str) -> String {
    let url = url::Url::parse(url).unwrap();
    url.query_pairs().find(|(key, _)| key == name).unwrap_or_else(|| panic!("{url} has no {name}")).1.into_owned()
}

fn with_param(url: &str, name: &str, value: &str) -> String {
    let mut url = url::Url::parse(url).unwrap();
    let pairs: Vec<(String, String)> = url.query_pairs().into_owned().collect();
    let pairs = pairs.into_iter().map(|(key, old)| if key == name { (key, value.to_owned()) } else { (key, old) });
    let pairs: Vec<_> = pairs.collect();
    url.query_pairs_mut().clear().extend_pairs(pairs);
    url.into()
}

// Cross-app OAuth account takeover. Mallory runs a provider that the installation knows; the user connects it; Mallory's page sends the user on
// to Google's, with Google's client and the state that was begun for Mallory. Were Google's answer taken for Mallory's, Google's code would be
// sent to Mallory's token endpoint.
on_both!(p25_coat_the_answer_of_one_provider_is_never_sent_to_another, |database| async move {
    let (google, mallory) = (GoogleStandIn::start().await.unwrap(), VendorStandIn::start().await.unwrap());
    let atom = database.builder().provider(google.app()).provider(mallory.app()).open().await.unwrap();
    let (_, ada) = sign_up(&atom, "ada@example.com").await;
    let (at_mallory, at_google) = (begin(&ada, "vendor").await, begin(&ada, "google").await);

    let forwarded = with_param(&at_google, "state", &param(&at_mallory, "state"));
    let callback = google.approve(forwarded, "ada@gmail.example".into()).await.unwrap();
    assert_eq!(reason(ada.connections().complete(callback.clone()).await), "wrong_redirect_uri");
    assert_eq!(mallory.hits("/token"), 0, "Mallory never sees Google's code");
});

on_both!(p25_coat_two_providers_may_not_share_a_redirect_uri, |database| async move {
    let (google, vendor) = (GoogleStandIn::start().await.unwrap(), VendorStandIn::start().await.unwrap());
    let shared = |app: ProviderApp| ProviderApp { redirect_uri: "http://127.0.0.1/both".into(), ..app };
    let opened = database.builder().provider(shared(google.app())).provider(shared(vendor.app())).open().await;
    assert_eq!(reason(opened), "redirect_uri_shared");

    // Where both name themselves in every answer, the name tells them apart (RFC 9700 §4.4.2.1).
    let named = |app: ProviderApp, issuer: &str| {
        let text = app.manifest.clone().unwrap_or_else(|| include_str!("../providers/google.toml").into());
        let lines = text.lines().filter(|line| !line.starts_with("issuer ="));
        let text = lines.collect::<Vec<_>>().join("\n");
        let manifest = text.replace("[auth]\n", &format!("[auth]\nissuer = \"{issuer}\"\nissuer_required = true\n"));
        ProviderApp { manifest: Some(manifest), ..shared(app) }
    };
    let google_app = named(google.app(), "https://accounts.google.com");
    let vendor_app = named(vendor.app(), "https://vendor.example");
    let atom = database.builder().provider(google_app).provider(vendor_app).open().await.unwrap();
    let (_, ada) = sign_up(&atom, "ada@example.com").await;
    let forwarded = with_param(&begin(&ada, "google").await, "state", &param(&begin(&ada, "vendor").await, "state"));
    let callback = google.approve(forwarded, "ada@gmail.example".into()).await.unwrap();
    assert_eq!(reason(ada.connections().complete(callback).await), "wrong_issuer");
    assert_eq!(vendor.hits("/token"), 0);
});

// Cross-app OAuth request forgery. Mallory has a code for an account of his own, and has Ada's browser bring it to us, so that Ada would go on
// with Mallory's account.
on_both!(p25_corf_a_code_that_the_user_did_not_ask_for_is_never_used, |database| async move {
    let (google, vendor) = (GoogleStandIn::start().await.unwrap(), VendorStandIn::start().await.unwrap());
    let atom = database.builder().provider(google.app()).provider(vendor.app()).open().await.unwrap();
    let (_, ada) = sign_up(&atom, "ada@example.com").await;
    let (_, mallory) = sign_up(&atom, "mallory@example.com").await;
    let planted = google.approve(begin(&mallory, "google").await, "mallory@gmail.example".into()).await.unwrap();
    let state_of = |url: &str| param(url, "state");

    assert_eq!(reason(ada.connections().complete(planted.clone()).await), "state_unknown", "with Mallory's state");
    let (at_google, at_vendor) = (begin(&ada, "google").await, begin(&ada, "vendor").await);
    let of_other = with_param(&planted, "state", &state_of(&at_vendor));
    assert_eq!(reason(ada.connections().complete(of_other).await), "wrong_redirect_uri", "with a state of Ada's for another app");
    for guess in ["", "x", &state_of(&at_google)[1..], &state_of(&at_google).to_uppercase()] {
        assert_eq!(reason(ada.connections().complete(with_param(&planted, "state", guess)).await), "state_unknown", "{guess}");
    }
    assert_eq!(google.hits("/token".into()).await.unwrap(), 0);
    // Were even Ada's state known, the code is bound to the verifier of the consent that it came from.
    let with_hers = with_param(&planted, "state", &state_of(&at_google));
    assert_eq!(reason(ada.connections().complete(with_hers).await), "code_refused");
    assert!(ada.connections().list().await.unwrap().is_empty());
});

// Cross-user session fixation. Mallory begins a consent and sends its page to Ada, who agrees: her account would be connected to Mallory.
on_both!(p25_cosf_a_consent_ends_in_the_session_that_began_it, |database| async move {
    let (atom, google) = database.with_google().await;
    let (_, ada) = sign_up(&atom, "ada@example.com").await;
    let (_, mallory) = sign_up(&atom, "mallory@example.com").await;
    let callback = google.approve(begin(&mallory, "google").await, "ada@gmail.example".into()).await.unwrap();
    assert_eq!(
        reason(ada.connections().complete(callback.clone()).await),
        "state_unknown",
        "Ada's browser brings it to Ada's session"
    );

    // Mallory's other session, which may run where the callback is not watched, is another session.
    let credentials = Credentials { email: "mallory@example.com".into(), password: PASSWORD.into(), ..Default::default() };
    let other = atom.accounts().sign_in(credentials).await.unwrap().signed_in().unwrap();
    let other = atom.authenticate(other.access_token).await.unwrap();
    assert_eq!(reason(other.connections().complete(callback).await), "state_unknown");
    assert_eq!(google.hits("/token".into()).await.unwrap(), 0);
    for scope in [&ada, &mallory] {
        assert!(scope.connections().list().await.unwrap().is_empty());
    }
});

on_both!(p25_the_issuer_is_compared_in_every_case_before_anything_else_counts, |database| async move {
    let google = GoogleStandIn::start().await.unwrap();
    let right = "https://accounts.google.com";
    let said: [Option<&str>; 6] = [
        None,
        Some(right),
        Some("https://accounts.google.com/"),
        Some("https://Accounts.Google.com"),
        Some("https://evil.example"),
        Some(""),
    ];
    for (known, required) in [(true, false), (true, true), (false, false)] {
        let text = include_str!("../providers/google.toml");
        let text = match (known, required) {
            (true, true) => text.replace("issuer =", "issuer_required = true\nissuer ="),
            (true, false) => text.to_owned(),
            _ => text.replace("issuer = \"https://accounts.google.com\"\n", ""),
        };
        let atom = database.builder().provider(ProviderApp { manifest: Some(text), ..google.app() }).open().await.unwrap();
        let (_, scope) = sign_up(&atom, &format!("ada-{known}-{required}@example.com")).await;
        for said in said {
            for declines in [false, true] {
                let url = begin(&scope, "google").await;
                let callback =
                    if declines { google.decline(url).await } else { google.approve(url, "ada@gmail.example".into()).await };
                let callback = callback.unwrap();
                let callback = match said {
                    Some(issuer) => with_param(&callback, "iss", issuer),
                    None => callback.replace("&iss=https%3A%2F%2Faccounts.google.com", ""),
                };
                let before = google.hits("/token".into()).await.unwrap();
                let result = scope.connections().complete(callback).await;
                let is_fine = if known { said == Some(right) || (said.is_none() && !required) } else { true };
                let expected = match (is_fine, declines) {
                    (false, _) => "wrong_issuer",
                    (true, true) => "consent_declined",
                    (true, false) => "connected",
                };
                let found = result.as_ref().map_or_else(Error::reason, |_| "connected");
                assert_eq!(found, expected, "{known} {required} {said:?} {declines}");
                let sent = google.hits("/token".into()).await.unwrap() - before;
                assert_eq!(sent, i64::from(expected == "connected"), "{known} {required} {said:?} {declines}");
            }
        }
    }
});

on_both!(p25_a_parameter_that_comes_twice_is_refused, |database| async move {
    let (atom, google) = database.with_google().await;
    let (_, scope) = sign_up(&atom, "ada@example.com").await;
    for name in ["code", "state", "iss", "error"] {
        let callback = google.approve(begin(&scope, "google").await, "ada@gmail.example".into()).await.unwrap();
        let twice = format!("{callback}&{name}=a&{name}=b");
        assert_eq!(reason(scope.connections().complete(twice).await), "malformed_callback", "{name}");
    }
    assert_eq!(google.hits("/token".into()).await.unwrap(), 0);
});

on_both!(p25_the_user_comes_back_to_a_listed_uri_or_to_none, |database| async move {
    let vendor = VendorStandIn::start().await.unwrap();
    let more = ["https://app.example.com/callback", "com.example.app:/callback"].map(str::to_owned).to_vec();
    let app = ProviderApp { redirect_uris: Some(more.clone()), ..vendor.app() };
    let atom = database.builder().provider(app).open().await.unwrap();
    let (_, scope) = sign_up(&atom, "ada@example.com").await;
    let to = |uri: &str| StartConnection { redirect_uri: Some(uri.into()), ..start("vendor") };
    for uri in more.iter().map(String::as_str).chain(["http://127.0.0.1/vendor", "http://127.0.0.1:51234/vendor"]) {
        let url = scope.connections().start(to(uri)).await.unwrap().url;
        assert_eq!(param(&url, "redirect_uri"), uri);
    }
    for uri in
        ["https://evil.example/", "https://app.example.com/callback?x", "com.example.app:/other", "http://127.0.0.1:1/other"]
    {
        assert_eq!(reason(scope.connections().start(to(uri)).await), "redirect_uri_not_allowed", "{uri}");
    }

    // A desktop app listens on whichever port is free, and the answer has to come there.
    let url = scope.connections().start(to("http://127.0.0.1:51234/vendor")).await.unwrap().url;
    let callback = vendor.decide(&url, Some("ada")).unwrap();
    let elsewhere = callback.replace(":51234", ":51235");
    assert_eq!(reason(scope.connections().complete(elsewhere).await), "wrong_redirect_uri");
    let url = scope.connections().start(to("http://127.0.0.1:51234/vendor")).await.unwrap().url;
    scope.connections().complete(vendor.decide(&url, Some("ada")).unwrap()).await.unwrap();

    for wrong in ["http://app.example.com/callback", "myapp:/callback", "https://app.example.com/callback#x", "no URL", ""] {
        let app = ProviderApp { redirect_uri: wrong.into(), ..vendor.app() };
        assert_eq!(reason(database.builder().provider(app).open().await), "malformed_redirect_uri", "{wrong}");
    }
});
