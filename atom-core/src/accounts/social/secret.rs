//! How the host's client shows who it is: a secret, none, or Apple's, which is signed anew for each exchange.

use super::AppleKey;
use crate::crypto::{base64url, sign_es256};
use crate::{Result, Secret};
use chrono::{DateTime, Utc};
use serde_json::json;

/// How long a signed secret is good for, in seconds. Apple takes up to half a year.
const LIFETIME: i64 = 300;

pub(super) enum ClientSecret {
    Given(Option<Secret>),
    Signed(AppleKey),
}

impl ClientSecret {
    /// Fails with `invalid`: `malformed_sign_in_provider`, `malformed_private_key`.
    pub(super) fn new(secret: Option<Secret>, apple: Option<AppleKey>) -> Result<Self> {
        match (secret, apple) {
            (Some(_), Some(_)) => Err(super::provider::malformed("give `client_secret` or `apple`, not both")),
            (secret, None) => Ok(Self::Given(secret)),
            (None, Some(key)) => {
                // Found out now, and not when the first person comes.
                sign_es256(key.private_key.expose(), b"")?;
                Ok(Self::Signed(key))
            }
        }
    }

    /// The secret for one exchange.
    pub(super) fn now(&self, client_id: &str, now: DateTime<Utc>) -> Result<Option<Secret>> {
        match self {
            Self::Given(secret) => Ok(secret.clone()),
            // https://developer.apple.com/documentation/accountorganizationaldatasharing/creating-a-client-secret
            Self::Signed(key) => {
                let issued_at = now.timestamp();
                let header = json!({"alg": "ES256", "kid": key.key_id});
                let claims = json!({
                    "iss": key.team_id, "iat": issued_at, "exp": issued_at + LIFETIME, "aud": "https://appleid.apple.com", "sub": client_id,
                });
                let signed = format!("{}.{}", base64url(header.to_string()), base64url(claims.to_string()));
                let signature = sign_es256(key.private_key.expose(), signed.as_bytes())?;
                Ok(Some(format!("{signed}.{}", base64url(signature)).into()))
            }
        }
    }
}
