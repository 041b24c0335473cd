//! Outgoing webhooks: a workspace's events, sent to the addresses that it names, as the Standard Webhooks specification has them.

mod model;
mod sign;
mod verify;

pub use model::WebhookSigning;
pub use verify::WebhookVerifier;
