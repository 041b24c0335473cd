//! Verifying webhooks that others sent.

use super::sign::{ID, SIGNATURE, TIMESTAMP, VerifyingKey};
use crate::{Bytes, Error, ErrorKind, Result, Secret};
use atom_macros::{api, handle};
use chrono::{DateTime, Utc};
use std::collections::HashMap;
use std::sync::Arc;

/// How far a sender's clock and the way may be off, in seconds: what the Standard Webhooks libraries allow.
const TOLERANCE: i64 = 300;

/// Verifies webhooks that follow the Standard Webhooks specification: Atom's own, and those of every other sender of them.
///
/// Give it the body exactly as it was received: JSON that was parsed and written again has another signature. The
/// `webhook-id` header stays the same when a webhook is sent again: remember it, to act on each only once.
///
/// ```
/// # tokio::runtime::Runtime::new().unwrap().block_on(async {
/// use atom_core::WebhookVerifier;
/// use std::collections::HashMap;
///
/// let verifier = WebhookVerifier::with_keys(vec!["whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw".into()]).await?;
/// let headers = HashMap::from([
///     ("webhook-id".to_owned(), "msg_p5jXN8AQM9LWM0D4loKWxJek".to_owned()),
///     ("webhook-timestamp".to_owned(), "1614265330".to_owned()),
///     ("webhook-signature".to_owned(), "v1,g0hM9SsE+OTPJTGt/tmIKtSyZlE3uFJELVlNIOLJ1OE=".to_owned()),
/// ]);
/// let body = br#"{"test": 2432232314}"#;
/// let error = verifier.verify(headers, body[..].into()).await.unwrap_err();
/// assert_eq!(error.reason(), "webhook_too_old"); // it is of 2021
/// # Ok::<(), atom_core::Error>(()) }).unwrap();
/// ```
#[handle]
pub struct WebhookVerifier {
    keys: Arc<Vec<VerifyingKey>>,
}

#[api]
impl WebhookVerifier {
    /// A verifier that accepts webhooks under any of some keys: HMAC secrets (`whsec_…`) and Ed25519 public keys (`whpk_…`).
    ///
    /// Fails with `invalid` (`malformed_webhook_secret`).
    pub async fn with_keys(keys: Vec<Secret>) -> Result<Self> {
        let keys: Vec<_> = keys.iter().map(VerifyingKey::parse).collect::<Result<_>>()?;
        if keys.is_empty() {
            return Err(Error::invalid("malformed_webhook_secret", "a verifier needs at least one key"));
        }
        Ok(Self { keys: Arc::new(keys) })
    }

    /// Whether a webhook is genuine and no more than five minutes old: an error says that it is not. Answer such a webhook with a 401, and do
    /// nothing else with it.
    ///
    /// The names of headers may be written in any case. Fails with `unauthenticated` (`webhook_headers_missing`, `webhook_too_old`,
    /// `webhook_too_new`: check this machine's clock; `webhook_signature_wrong`).
    pub async fn verify(&self, headers: HashMap<String, String>, body: Bytes) -> Result<()> {
        self.check(&headers, &body.0, Utc::now())
    }
}

impl WebhookVerifier {
    pub(super) fn check(&self, headers: &HashMap<String, String>, body: &[u8], now: DateTime<Utc>) -> Result<()> {
        let refused = |reason, text: &str| Error::new(ErrorKind::Unauthenticated, reason, text);
        let header = |name| {
            let found = headers.iter().find(|(key, _)| key.eq_ignore_ascii_case(name)).map(|(_, value)| value.as_str());
            found.filter(|value| !value.is_empty())
        };
        let (Some(id), Some(timestamp), Some(signatures)) = (header(ID), header(TIMESTAMP), header(SIGNATURE)) else {
            let text = "a webhook needs the headers webhook-id, webhook-timestamp and webhook-signature";
            return Err(refused("webhook_headers_missing", text));
        };
        // Digits alone: what is signed must be what is understood.
        let digits = timestamp.bytes().all(|b| b.is_ascii_digit());
        let Some(sent) = timestamp.parse::<i64>().ok().filter(|_| digits) else {
            return Err(refused("webhook_headers_missing", "the header webhook-timestamp is not a number of seconds since 1970"));
        };
        if sent < now.timestamp() - TOLERANCE {
            return Err(refused("webhook_too_old", "the webhook is older than five minutes: it was delayed or is a replay"));
        }
        if sent > now.timestamp() + TOLERANCE {
            return Err(refused("webhook_too_new", "the webhook is more than five minutes from the future: check the clock"));
        }
        if self.keys.iter().any(|key| key.accepts(signatures, id, timestamp, body)) {
            return Ok(());
        }
        Err(refused(
            "webhook_signature_wrong",
            "no signature of the webhook fits: check the key, and pass the body as it was received",
        ))
    }
}
