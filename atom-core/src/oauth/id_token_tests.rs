use super::*;
use crate::crypto::base64url;
use ring::rand::SystemRandom;
use ring::signature::{ECDSA_P256_SHA256_FIXED_SIGNING, EcdsaKeyPair, KeyPair};
use serde_json::{Value, json};

const ISSUER: &str = "https://login.example.com";
const ENTRA: &str = "https://login.microsoftonline.com/{tenantid}/v2.0";
const TENANT: &str = "72f988bf-86f1-41af-91ab-2d7cd011db47";

/// Somebody signs in at a provider; a test changes what it says of them.
struct Case {
    claims: Value,
    issuer: Issuer,
    /// What the key is published with.
    key: Value,
}

impl Case {
    fn new() -> Self {
        let now = Utc::now().timestamp();
        let claims = json!({
            "iss": ISSUER, "sub": "248289761001", "aud": "atom", "exp": now + 300, "iat": now, "nonce": "n-0S6_WzA2Mj",
            "email": "ada@example.com", "email_verified": true,
        });
        Self { claims, issuer: Issuer::One(ISSUER.into()), key: json!({}) }
    }

    /// One of a directory.
    fn entra() -> Self {
        let mut case = Self::new();
        case.claims["iss"] = ENTRA.replace("{tenantid}", TENANT).into();
        case.claims["tid"] = TENANT.into();
        case.issuer = Issuer::Tenants { template: ENTRA.into(), allowed: vec![TENANT.to_uppercase()] };
        case
    }

    fn with(mut self, name: &str, value: impl Into<Value>) -> Self {
        self.claims[name] = value.into();
        self
    }

    fn without(mut self, name: &str) -> Self {
        self.claims.as_object_mut().expect("claims").remove(name);
        self
    }

    fn read(&self) -> Result<IdToken> {
        let random = SystemRandom::new();
        let pkcs8 = EcdsaKeyPair::generate_pkcs8(&ECDSA_P256_SHA256_FIXED_SIGNING, &random).expect("a key");
        let pair = EcdsaKeyPair::from_pkcs8(&ECDSA_P256_SHA256_FIXED_SIGNING, pkcs8.as_ref(), &random).expect("a key");
        let point = pair.public_key().as_ref();
        let mut key =
            json!({"kty": "EC", "crv": "P-256", "kid": "e", "x": base64url(&point[1..33]), "y": base64url(&point[33..])});
        key.as_object_mut().expect("a key").extend(self.key.as_object().expect("a key").clone());
        let keys = KeySet::parse(json!({ "keys": [key] }).to_string().as_bytes()).expect("keys");
        let header = json!({"alg": "ES256", "kid": "e"});
        let signed = format!("{}.{}", base64url(header.to_string()), base64url(self.claims.to_string()));
        let token = format!("{signed}.{}", base64url(pair.sign(&random, signed.as_bytes()).expect("signed")));
        let (nonce, access_token) = ("n-0S6_WzA2Mj", Some("SlAV32hkKG"));
        let (issuer, client_id, code, now) = (&self.issuer, "atom", "SplxlOBeZQQYbYS6WxSbIA", Utc::now());
        read(&token, &keys, &Expected { issuer, client_id, nonce, access_token, code, now })
    }

    fn is_fine(&self) -> bool {
        self.read().is_ok()
    }

    fn reason(&self) -> &'static str {
        self.read().err().expect("refused").reason()
    }
}

#[test]
fn p26_a_token_that_is_as_it_should_be_is_read() {
    let token = Case::new().read().expect("believed");
    assert_eq!((token.issuer.as_str(), token.subject.as_str()), (ISSUER, "248289761001"));
    assert_eq!(token.profile.email.as_deref(), Some("ada@example.com"));
    assert!(token.profile.says_verified());
}

#[test]
fn p26_another_issuer_is_refused() {
    for wrong in ["https://evil.example", "https://login.example.com/", "http://login.example.com", ""] {
        assert_eq!(Case::new().with("iss", wrong).reason(), "id_token_issuer_wrong", "{wrong}");
    }
    assert_eq!(Case::new().without("iss").reason(), "id_token_malformed");
}

#[test]
fn p26_another_audience_is_refused() {
    assert!(Case::new().with("aud", json!(["atom"])).is_fine());
    for wrong in [json!("other"), json!([]), json!(["other"]), json!(["atom", "other"]), json!("atom2")] {
        assert_eq!(Case::new().with("aud", wrong.clone()).reason(), "id_token_audience_wrong", "{wrong}");
    }
    for malformed in [json!(1), json!(null), json!([1]), json!({"atom": true})] {
        assert_eq!(Case::new().with("aud", malformed.clone()).reason(), "id_token_malformed", "{malformed}");
    }
    assert_eq!(Case::new().without("aud").reason(), "id_token_malformed");
}

#[test]
fn p26_a_token_that_was_made_for_another_client_is_refused() {
    assert!(Case::new().with("azp", "atom").is_fine());
    assert!(Case::new().with("aud", json!(["project", "atom"])).with("azp", "atom").is_fine());
    assert_eq!(Case::new().with("azp", "other").reason(), "id_token_audience_wrong");
    assert_eq!(Case::new().with("aud", "other").with("azp", "atom").reason(), "id_token_audience_wrong");
}

#[test]
fn p26_an_expired_token_is_refused() {
    let now = Utc::now().timestamp();
    assert!(Case::new().with("exp", now - 30).is_fine(), "clocks differ");
    assert_eq!(Case::new().with("exp", now - 90).reason(), "id_token_expired");
    for malformed in [json!("1999999999"), json!(null), json!([1])] {
        assert_eq!(Case::new().with("exp", malformed.clone()).reason(), "id_token_malformed", "{malformed}");
    }
    assert_eq!(Case::new().without("exp").reason(), "id_token_malformed");
}

#[test]
fn p26_a_token_without_iat_or_of_another_time_is_refused() {
    let now = Utc::now().timestamp();
    assert_eq!(Case::new().without("iat").reason(), "id_token_malformed");
    for wrong in [now + 120, now - 1000, 0] {
        assert_eq!(Case::new().with("iat", wrong).reason(), "id_token_expired", "{wrong}");
    }
    assert_eq!(Case::new().with("nbf", now + 120).reason(), "id_token_expired");
}

#[test]
fn p26_a_token_without_sub_is_refused() {
    assert_eq!(Case::new().without("sub").reason(), "id_token_malformed");
    for wrong in [json!(""), json!(1), json!(null), json!("x".repeat(256))] {
        assert_eq!(Case::new().with("sub", wrong).reason(), "id_token_malformed");
    }
}

#[test]
fn p26_another_nonce_is_refused() {
    assert_eq!(Case::new().without("nonce").reason(), "id_token_nonce_wrong");
    for wrong in ["", "n-0S6_WzA2M", "N-0S6_WzA2Mj"] {
        assert_eq!(Case::new().with("nonce", wrong).reason(), "id_token_nonce_wrong", "{wrong}");
    }
}

#[test]
fn p26_an_at_hash_of_another_access_token_is_refused() {
    assert!(Case::new().with("at_hash", half_hash("SlAV32hkKG")).is_fine());
    assert_eq!(Case::new().with("at_hash", half_hash("another")).reason(), "id_token_hash_wrong");
}

#[test]
fn p26_a_c_hash_of_another_code_is_refused() {
    assert!(Case::new().with("c_hash", half_hash("SplxlOBeZQQYbYS6WxSbIA")).is_fine());
    assert_eq!(Case::new().with("c_hash", half_hash("another")).reason(), "id_token_hash_wrong");
}

#[test]
fn p26_the_hash_is_the_half_that_the_standard_says() {
    // OpenID Connect Core 1.0, appendix A.3 and A.4.
    assert_eq!(half_hash("jHkWEdUXMU1BwAsC4vtUsZwnNvTIxEl0z9K3vx5KF0Y"), "77QmUPtjPfzWtF2AnpK9RQ");
    assert_eq!(half_hash("Qcb0Orv1zh30vL1MPRsbm-diHiMwcLyZvn1arpZv-Jxf_11jnpEX3Tgfvk"), "LDktKdoQak3Pk0cnXxCltA");
}

#[test]
fn p26_a_claim_that_is_there_twice_is_refused() {
    let keys = KeySet::default();
    let text = format!("{}.{}.{}", base64url(r#"{"alg":"ES256","alg":"none"}"#), base64url("{}"), base64url("x"));
    let expected = Expected {
        issuer: &Issuer::One(ISSUER.into()),
        client_id: "atom",
        nonce: "n",
        access_token: None,
        code: "c",
        now: Utc::now(),
    };
    assert_eq!(read(&text, &keys, &expected).err().expect("refused").reason(), "id_token_malformed");
    assert!(serde_json::from_str::<Claims>(r#"{"iss":"a","sub":"b","aud":"c","exp":1,"iat":1,"sub":"d"}"#).is_err());
}

#[test]
fn p26_an_issuer_per_tenant_is_that_of_an_allowed_tenant() {
    assert!(Case::entra().is_fine());
    let other = "9188040d-6c67-4c5b-b112-36a304b66dad";
    assert_eq!(
        Case::entra().with("tid", other).reason(),
        "id_token_issuer_wrong",
        "the issuer is of one tenant, the claim of another"
    );
    let foreign = || Case::entra().with("tid", other).with("iss", ENTRA.replace("{tenantid}", other));
    assert_eq!(foreign().reason(), "tenant_not_allowed");
    let open = Case { issuer: Issuer::Tenants { template: ENTRA.into(), allowed: Vec::new() }, ..foreign() };
    assert!(open.is_fine(), "any tenant, where the host says so");
    assert_eq!(Case::entra().without("tid").reason(), "id_token_issuer_wrong");
    assert_eq!(Case::entra().with("iss", ENTRA).reason(), "id_token_issuer_wrong", "the template itself is nobody");
    let smuggled = "evil/../x";
    let smuggled = Case::entra().with("tid", smuggled).with("iss", ENTRA.replace("{tenantid}", smuggled));
    assert_eq!(smuggled.reason(), "id_token_issuer_wrong");
}

#[test]
fn p26_a_key_of_one_tenant_signs_for_no_other() {
    let of = |issuer: &str| Case { key: json!({ "issuer": issuer }), ..Case::entra() };
    assert!(of(ENTRA).is_fine());
    assert!(of(&ENTRA.replace("{tenantid}", TENANT)).is_fine());
    let other = ENTRA.replace("{tenantid}", "9188040d-6c67-4c5b-b112-36a304b66dad");
    assert_eq!(of(&other).reason(), "id_token_issuer_wrong");
}

#[test]
fn p10_a_yes_is_a_yes_however_it_is_written() {
    for (said, is_yes) in [
        (json!(true), true),
        (json!("true"), true),
        (json!(1), true),
        (json!("1"), true),
        (json!(false), false),
        (json!("false"), false),
        (json!("TRUE"), false),
        (json!(2), false),
        (json!(null), false),
    ] {
        let profile =
            Case::new().with("email_verified", said.clone()).with("xms_edov", said.clone()).read().expect("read").profile;
        assert_eq!((profile.says_verified(), profile.is_domain_owner_verified()), (is_yes, is_yes), "{said}");
    }
    assert!(!Case::new().without("email_verified").read().expect("read").profile.says_verified());
    assert_eq!(Case::new().with("email_verified", json!(["true"])).reason(), "id_token_malformed");
}
