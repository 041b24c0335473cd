//! Signing keys: which there are, how one follows another, and how others get the public halves. The ring that signs and verifies is
//! `crypto/signing.rs`.

mod model;
mod retire;
mod rotate;
mod store;
mod tend;

pub use model::{SigningKey, SigningKeyState};
pub(crate) use tend::{CHORE, tend};

use crate::atom::Inner;
use crate::crypto::base64url;
use crate::{Result, SigningKeyId};
use atom_macros::{api, handle};
use serde_json::json;
use std::sync::Arc;

/// The keys that sign access tokens (Ed25519), and their rotation. Who may call this is for the host to decide.
///
/// A key older than `OpenOptions.signing_key_days` gets a successor by itself, which is published an hour before it signs; a key is retired
/// twenty minutes after its successor began to sign, when no token lives that it signed. What was done is among `Keys.audit` and `Keys.events`.
///
/// ```
/// # tokio::runtime::Runtime::new().unwrap().block_on(async {
/// # let folder = tempfile::tempdir().unwrap();
/// # let url = format!("sqlite:{}", folder.path().join("atom.db").display());
/// # use atom_core::{Atom, LocalKey, NewAccount, SigningKeyState};
/// # let atom = Atom::builder(url).key(LocalKey::generate()?).open().await?;
/// # let account = NewAccount { email: "ada@example.com".into(), password: "an engine of brass".into(), ..Default::default() };
/// # let session = atom.accounts().sign_up(account).await?;
/// let keys = atom.signing_keys();
/// let next = keys.rotate(Some(0)).await?;
/// assert_eq!(next.state, SigningKeyState::Current);
/// assert_eq!(keys.list().await?[0].state, SigningKeyState::Retiring);
/// atom.authenticate(session.access_token).await?; // signed by the key before
///
/// assert!(keys.jwks().await?.contains(&next.id.to_string()));
/// # Ok::<(), atom_core::Error>(()) }).unwrap();
/// ```
#[handle]
pub struct SigningKeys {
    pub(crate) inner: Arc<Inner>,
}

#[api]
impl SigningKeys {
    /// All keys, retired ones too, in the order of their turns.
    pub async fn list(&self) -> Result<Vec<SigningKey>> {
        store::list(self.inner.db()?, self.inner.now()).await
    }

    /// Makes the next key and publishes it. It signs `lead_seconds` later, an hour by default: as long as a copy of `jwks` may be kept
    /// elsewhere. Processes of the installation need no lead: a key that one of them does not know it looks for at once. With 0 it signs now.
    ///
    /// Where a key may have leaked: rotate with 0, then `retire` the old one.
    ///
    /// Fails with `conflict` (`rotated_meanwhile`) or `invalid` (`malformed_option`: 0 to 2592000 seconds).
    pub async fn rotate(&self, lead_seconds: Option<i64>) -> Result<SigningKey> {
        rotate::run(&self.inner, lead_seconds).await
    }

    /// Retires a key now, though tokens may live that it signed: they are refused, here at once and in other processes within half a minute, and their sessions
    /// must be refreshed. Its private half is destroyed. Retiring it twice is no error.
    ///
    /// Fails with `not_found` or `conflict` (`signing_key_in_use`: rotate first).
    pub async fn retire(&self, id: SigningKeyId) -> Result<()> {
        retire::run(&self.inner, id).await
    }

    /// The public halves of all keys that are not retired, as a JSON Web Key Set ([RFC 7517](https://www.rfc-editor.org/rfc/rfc7517), with the keys of
    /// [RFC 8037](https://www.rfc-editor.org/rfc/rfc8037)): for a host whose access tokens are verified elsewhere. Let it be cached for less than
    /// an hour, or for less than the lead that you rotate with.
    pub async fn jwks(&self) -> Result<String> {
        let keys = store::public_keys(self.inner.db()?).await?;
        let jwk = |(id, public): (uuid::Uuid, Vec<u8>)| json!({ "kty": "OKP", "crv": "Ed25519", "x": base64url(public), "kid": id.to_string(), "use": "sig", "alg": "EdDSA" });
        Ok(json!({ "keys": keys.into_iter().map(jwk).collect::<Vec<_>>() }).to_string())
    }
}
