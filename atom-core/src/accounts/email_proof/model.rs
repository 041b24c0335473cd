//! What the API of codes and links takes and returns.

use crate::accounts::Client;
use crate::{Secret, WorkspaceId};
use atom_macros::model;
use chrono::{DateTime, Utc};

/// Who wants a code or a link to sign in with.
#[model(secret, default)]
pub struct EmailSignIn {
    /// The e-mail address of the account.
    pub email: String,
    /// The language of the mail, as the browser says it. Default: the user's.
    pub locale: Option<String>,
    /// What is known of the client that asks. Pass its `ip`: the limits go by it.
    pub client: Option<Client>,
    /// The last refresh token that this device had for the account, as in `Credentials`: what others ask for neither uses up what this device may ask for nor
    /// replaces what was mailed for it.
    pub known_device: Option<Secret>,
}

/// A code that is on its way to somebody's mailbox, if there is somebody.
#[model(secret)]
pub struct PendingCode {
    /// Shown together with the code: it proves that whoever enters it is who asked for it. It lets nobody in, and nothing else is to be done with it.
    pub flow_token: Secret,
    /// When the code stops working.
    pub expires_at: DateTime<Utc>,
}

/// A link that is on its way to somebody's mailbox, if there is somebody.
#[model(secret)]
pub struct PendingMagicLink {
    /// For `LinkSignIn.flow_token`, where the link is opened in the browser that asked for it. It lets nobody in.
    pub flow_token: Secret,
    /// When the link stops working.
    pub expires_at: DateTime<Utc>,
}

/// An address that is still to be proved, with the code or the link that is on its way there. It is no session and authenticates nothing.
///
/// ```compile_fail
/// # async fn never(atom: atom_core::Atom, pending: atom_core::PendingVerification) {
/// atom.authenticate(pending).await;
/// # }
/// ```
#[model(secret)]
pub struct PendingVerification {
    /// For `EmailProof.flow_token`: it proves that whoever shows the code is who began.
    pub flow_token: Secret,
    /// When the code and the link stop working.
    pub expires_at: DateTime<Utc>,
}

/// What proves an address, and with it who somebody is.
#[model(secret, default)]
pub struct EmailProof {
    /// The flow that the mail was asked for with.
    pub flow_token: Secret,
    /// The code of the mail, as the user types it, or the token of its link, if it has one.
    pub code: Secret,
    /// The workspace to enter. Default: the one that was named before, or the one that the user joined first.
    pub workspace_id: Option<WorkspaceId>,
    /// What is known of the client.
    pub client: Option<Client>,
}

/// What is needed to sign in with a link.
#[model(secret, default)]
pub struct LinkSignIn {
    /// The token of the link.
    pub token: Secret,
    /// The flow that the link was asked for with, where the host has kept it in that browser. A link of another flow is then refused. Without it, ask
    /// the user before you call: a link that somebody else asked for may have been passed on to them.
    pub flow_token: Option<Secret>,
    /// The workspace to enter. Default: the one that the user joined first.
    pub workspace_id: Option<WorkspaceId>,
    /// What is known of the client.
    pub client: Option<Client>,
}

/// What a link to sign in with is for, to ask the user before it is used.
#[model]
pub struct MagicLink {
    /// The address to which it was mailed, masked: `a***@example.com`.
    pub email: String,
    /// When it stops working.
    pub expires_at: DateTime<Utc>,
}
