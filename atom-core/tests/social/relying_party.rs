//! What the conformance suite of OpenID asks of a relying party, each under the name of its module there, through the whole sign-in.
//! What a token alone can get wrong in other ways stands beside `oauth/id_token.rs`.

use super::*;
use atom_core::testing::IssuerManners;

/// The claims of a person, but for one.
fn claims(name: &str, value: impl Into<Value>) -> Value {
    let mut claims = verified("1", "ada@example.com");
    claims[name] = value.into();
    claims
}

/// Somebody comes from an issuer that does something wrong: nobody is signed in, and nothing is stored. Then it does what is right.
async fn check(database: &Database, wrong: fn(&mut IssuerManners), claims: Value, expected: &str) {
    let (atom, issuer) = open(database).await;
    issuer.behave(wrong);
    let error = go(&atom, &issuer, "house", claims).await.err().expect("refused");
    assert_eq!((error.kind(), error.reason(), error.provider()), (ErrorKind::Provider, expected, Some("house")));
    assert_eq!(number(database, "SELECT count(*) FROM atom_users").await, 0);
    issuer.behave(|manners| *manners = IssuerManners::default());
    // Without what was remembered of the issuer.
    let atom = database.builder().sign_in_provider(issuer.provider()).open().await.unwrap();
    signed_in(&atom, &issuer, "house", verified("1", "ada@example.com")).await;
}

/// A key that is published under the name of the issuer's own, which signs: that of RFC 7515, appendix A.3.
fn publish_another_key(manners: &mut IssuerManners) {
    let (x, y) = ("f83OJ3D2xF1Bg8vub9tLe1gHMzV76e8Tus9uPHvRVEU", "x_FEzRu9m36HLN_tue659LNpXW6pCyStikYjKIWI5a0");
    manners.hides_key = true;
    manners.more_keys = vec![json!({"kty": "EC", "crv": "P-256", "kid": "key-1", "x": x, "y": y})];
}

on_both!(p26_rp_id_token_issuer_mismatch, |database| check(
    &database,
    |_| {},
    claims("iss", "https://evil.example"),
    "id_token_issuer_wrong"
));
on_both!(p26_rp_id_token_aud, |database| check(&database, |_| {}, claims("aud", "another"), "id_token_audience_wrong"));
on_both!(p26_rp_id_token_aud_missing, |database| check(&database, |_| {}, claims("aud", Value::Null), "id_token_malformed"));
on_both!(p26_rp_id_token_azp, |database| check(&database, |_| {}, claims("azp", "another"), "id_token_audience_wrong"));
on_both!(p26_rp_id_token_sub, |database| check(&database, |_| {}, claims("sub", Value::Null), "id_token_malformed"));
on_both!(p26_rp_id_token_iat, |database| check(&database, |_| {}, claims("iat", Value::Null), "id_token_malformed"));
on_both!(p26_rp_id_token_exp, |database| check(&database, |_| {}, claims("exp", 1), "id_token_expired"));
on_both!(p26_rp_nonce_invalid, |database| check(&database, |_| {}, claims("nonce", "another"), "id_token_nonce_wrong"));
on_both!(p26_rp_nonce_missing, |database| check(&database, |_| {}, claims("nonce", Value::Null), "id_token_nonce_wrong"));
on_both!(p26_rp_id_token_bad_at_hash, |database| check(
    &database,
    |_| {},
    claims("at_hash", "AAAAAAAAAAAAAAAAAAAAAA"),
    "id_token_hash_wrong"
));
on_both!(p26_rp_id_token_bad_c_hash, |database| check(
    &database,
    |_| {},
    claims("c_hash", "AAAAAAAAAAAAAAAAAAAAAA"),
    "id_token_hash_wrong"
));
on_both!(p26_rp_id_token_bad_sig_es256, |database| check(
    &database,
    publish_another_key,
    claims("name", "Ada"),
    "id_token_signature_wrong"
));
on_both!(p26_rp_id_token_sig_none, |database| check(
    &database,
    |manners| manners.header = json!({"alg": "none"}),
    claims("name", "Ada"),
    "id_token_algorithm_wrong"
));
on_both!(p26_rp_id_token_sig_hs256, |database| check(
    &database,
    |manners| manners.header = json!({"alg": "HS256"}),
    claims("name", "Ada"),
    "id_token_algorithm_wrong"
));
on_both!(p26_rp_id_token_sig_of_another_kind_than_the_key, |database| check(
    &database,
    |manners| manners.header = json!({"alg": "RS256"}),
    claims("name", "Ada"),
    "id_token_algorithm_wrong"
));
on_both!(p26_rp_id_token_crit, |database| check(
    &database,
    |manners| manners.header = json!({"crit": ["exp"]}),
    claims("name", "Ada"),
    "id_token_malformed"
));
on_both!(p26_rp_id_token_kid_of_nobody, |database| check(
    &database,
    |manners| manners.header = json!({"kid": "nobody's"}),
    claims("name", "Ada"),
    "id_token_key_unknown"
));
on_both!(p26_rp_id_token_missing, |database| check(
    &database,
    |manners| manners.answer = json!({"id_token": null}),
    claims("name", "Ada"),
    "id_token_missing"
));
