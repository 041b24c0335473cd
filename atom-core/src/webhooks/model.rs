//! What the webhooks API takes and returns.

use atom_macros::model;

/// How the webhooks of an endpoint are signed.
#[model]
pub enum WebhookSigning {
    /// HMAC-SHA256 (`v1`): the receiver holds the same secret, and every library knows it.
    Hmac,
    /// Ed25519 (`v1a`): the receiver holds the public key only, and can forge nothing with it.
    Ed25519,
}
