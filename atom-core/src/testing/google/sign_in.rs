//! ID tokens, and the key that they are signed with: <https://developers.google.com/identity/openid-connect/openid-connect>.

use super::{CLIENT_ID, Shared};
use crate::crypto::{base64url, sign_rs256};
use axum::routing::get;
use axum::{Json, Router};
use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use chrono::Utc;
use ring::rsa::PublicKeyComponents;
use ring::signature::RsaKeyPair;
use serde_json::{Value, json};
use sha2::{Digest, Sha256};

const KEY: &str = include_str!("../service_account.pem");
const KEY_ID: &str = "stand-in-2026";

pub(super) fn routes() -> Router<Shared> {
    Router::new().route("/oauth2/v3/certs", get(keys))
}

/// Who somebody is, whatever their address.
pub(super) fn subject(email: &str) -> String {
    let digest = Sha256::digest(email);
    digest.iter().take(8).fold(1_u64, |n, b| n.wrapping_mul(257).wrapping_add(u64::from(*b))).to_string()
}

pub(super) fn id_token(email: &str, nonce: &str, access_token: &str) -> String {
    let now = Utc::now().timestamp();
    let mut claims = json!({
        "iss": "https://accounts.google.com", "azp": CLIENT_ID, "aud": CLIENT_ID, "sub": subject(email), "email": email, "email_verified": true,
        "at_hash": base64url(&Sha256::digest(access_token)[..16]), "name": email.split('@').next(), "iat": now, "exp": now + 3600,
    });
    if !nonce.is_empty() {
        claims["nonce"] = nonce.into();
    }
    let header = json!({"alg": "RS256", "kid": KEY_ID, "typ": "JWT"});
    let signed = format!("{}.{}", base64url(header.to_string()), base64url(claims.to_string()));
    let signature = sign_rs256(KEY, signed.as_bytes()).expect("a key of its own");
    format!("{signed}.{}", base64url(signature))
}

async fn keys() -> Json<Value> {
    let body: String = KEY.lines().filter(|line| !line.starts_with('-')).collect();
    let der = STANDARD.decode(body).expect("a key of its own");
    let pair = RsaKeyPair::from_pkcs8(&der).expect("a key of its own");
    let parts = PublicKeyComponents::<Vec<u8>>::from(pair.public());
    let (n, e) = (base64url(parts.n), base64url(parts.e));
    Json(json!({"keys": [{"kty": "RSA", "use": "sig", "alg": "RS256", "kid": KEY_ID, "n": n, "e": e}]}))
}
