//! What is no access token of ours.

use super::*;
use crate::{Atom, NewAccount};
use serde_json::{Map, Value, json};
use std::sync::Arc;

async fn opened() -> (Arc<Inner>, Principal) {
    let atom = Atom::builder("memory:").open().await.expect("open");
    let account = NewAccount { email: "ada@example.com".into(), password: "an engine of brass".into(), ..Default::default() };
    let session = atom.accounts().sign_up(account).await.expect("signed up");
    let principal = atom.authenticate(session.access_token).await.expect("authenticated").principal();
    (atom.inner(), principal)
}

/// The claims of a good token.
fn claims(inner: &Inner, principal: &Principal) -> Map<String, Value> {
    let now = inner.now().timestamp();
    let claims = json!({
        "iss": inner.issuer, "aud": inner.issuer, "sub": principal.user_id, "iat": now, "nbf": now, "exp": now + 900, "jti": "1",
        "sid": principal.session_id, "workspace": principal.workspace_id, "role": "owner",
    });
    claims.as_object().expect("an object").clone()
}

/// What becomes of a token that is signed by our own key.
async fn verified(inner: &Inner, typ: &str, claims: &impl Serialize) -> Result<Principal> {
    let token = inner.signing.sign(inner.db()?, &inner.keys, typ, claims, inner.now()).await?;
    verify(inner, &token.into()).await
}

#[tokio::test]
async fn p16_every_claim_is_required_in_its_one_type() {
    let (inner, principal) = opened().await;
    let good = claims(&inner, &principal);
    assert_eq!(verified(&inner, TYPE, &good).await.expect("a good token"), principal);
    let mut tried = 0;
    for (name, right) in &good {
        let text = right.to_string();
        let wrong = [
            Value::Null,
            json!(true),
            json!([right]),
            json!({ "value": right }),
            json!(""),
            json!(format!("{text} ")),
            json!(-1),
            json!(0.5),
            json!(1e300),
        ];
        // A text that holds the number, and a number where a text belongs.
        let other = if right.is_number() { json!(text) } else { json!(1_700_000_000) };
        let mutations = wrong.into_iter().chain([other]).map(Some).chain([None]);
        for mutation in mutations {
            // An unused id of any text, and a moment long ago from which it is valid, are right.
            let fine =
                matches!((name.as_str(), &mutation), ("jti", Some(Value::String(_))) | ("iat" | "nbf", Some(Value::Number(_))));
            if fine && mutation.as_ref().is_none_or(|value| !value.is_f64()) {
                continue;
            }
            let mut claims = good.clone();
            match &mutation {
                Some(value) => drop(claims.insert(name.clone(), value.clone())),
                None => drop(claims.remove(name)),
            }
            let refused = verified(&inner, TYPE, &claims).await.err();
            let refused = refused.unwrap_or_else(|| panic!("{name} = {mutation:?} was accepted")).reason();
            assert!(matches!(refused, "invalid_access_token" | "access_token_expired"), "{name} = {mutation:?}: {refused}");
            tried += 1;
        }
    }
    assert!(tried > 90, "{tried} mutations");
}

#[tokio::test]
async fn p16_a_token_of_another_issuer_audience_type_or_time_is_refused() {
    let (inner, principal) = opened().await;
    let good = claims(&inner, &principal);
    let now = inner.now().timestamp();
    for (name, value, reason) in [
        ("iss", json!("atom2"), "invalid_access_token"),
        ("aud", json!("another"), "invalid_access_token"),
        ("aud", json!([inner.issuer, "another"]), "invalid_access_token"),
        ("nbf", json!(now + 60), "invalid_access_token"),
        ("iat", json!(now + 60), "invalid_access_token"),
        ("exp", json!(now - 10), "access_token_expired"),
        ("role", json!("Owner"), "invalid_access_token"),
        ("role", json!("root"), "invalid_access_token"),
        ("sub", json!("../admin"), "invalid_access_token"),
    ] {
        let mut claims = good.clone();
        claims.insert(name.into(), value.clone());
        assert_eq!(verified(&inner, TYPE, &claims).await.expect_err(name).reason(), reason, "{name} = {value}");
    }
    for typ in ["JWT", "at+JWT", "application/at+jwt", "atom-audit+jwt", ""] {
        assert_eq!(verified(&inner, typ, &good).await.expect_err(typ).reason(), "invalid_access_token", "{typ}");
    }
    for body in [json!([]), json!("x"), json!(null), json!({})] {
        assert_eq!(verified(&inner, TYPE, &body).await.expect_err("no claims").reason(), "invalid_access_token");
    }
}

#[tokio::test]
async fn p16_a_kid_of_nobody_of_another_installation_or_of_another_spelling_is_refused() {
    let ((inner, principal), (elsewhere, _)) = (opened().await, opened().await);
    let good = claims(&inner, &principal);
    let now = inner.now();
    let foreign = elsewhere.signing.sign(elsewhere.db().expect("open"), &elsewhere.keys, TYPE, &good, now).await.expect("signed");
    let ours = inner.signing.sign(inner.db().expect("open"), &inner.keys, TYPE, &good, now).await.expect("signed");
    let kid = crate::crypto::jws::kid(&ours).expect("a kid");
    let (private, _) = crate::crypto::jws::generate().expect("a key");
    let forge = |kid: &str| crate::crypto::jws::sign(&private, kid, TYPE, &good).expect("signed");
    let loud = kid.to_uppercase();
    let kids = [kid.as_str(), loud.as_str(), "", "1", "../../etc/passwd", "' OR 1=1 --", "01890a5d-ac96-774b-bcce-b302099a8057"];
    for token in kids.into_iter().map(forge).chain([foreign]) {
        let refused = verify(&inner, &token.as_str().into()).await.expect_err("forged");
        assert_eq!(refused.reason(), "invalid_access_token", "{token}");
    }
}
