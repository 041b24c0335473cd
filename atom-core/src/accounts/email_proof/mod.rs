//! Proofs of an address: the codes and links that are mailed to it.
//!
//! A flow begins for an [`Intent`] and an address ([`begin`]). Its token stays with whoever began it; a code, a link or both go to the address,
//! if there is somebody there for whom that makes sense. Where there is nobody, the flow costs the same, looks the same and leads nowhere.
//! [`take`] gives what the flow was for to one caller, who shows what was mailed and, with a code, the flow.
//!
//! Only keyed hashes of the three are stored. That of a code is bound to its intent, its address and its flow, so that it is good for nothing else, and
//! whoever reads the database cannot try out the hundred million codes. Each guess is counted before it is looked at, in a transaction of
//! its own ([`store::count_try`]), so a burst of guesses gets no more of them than one after the other.

mod begin;
mod code;
mod model;
mod settings;
mod store;
mod take;

pub(super) use begin::{Begun, Letter, NewFlow, run as begin};
pub use model::{EmailProof, EmailSignIn, LinkSignIn, MagicLink, PendingCode, PendingMagicLink, PendingVerification};
pub(crate) use settings::EmailProofSettings;
pub(crate) use store::sweep;
pub(super) use take::{Shown, look_at_link, spent, take};

use super::sign_up::Registration;
use super::{SignInMethod, email};
use crate::atom::Inner;
use crate::crypto::{INSTALLATION, Place};
use crate::storage::Tx;
use crate::{Error, Result, Secret, UserId, WorkspaceId};
use chrono::{DateTime, Utc};
use serde::{Deserialize, Serialize};
use zeroize::Zeroizing;

/// What a proof is for. One that was made for another intent proves nothing.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(super) enum Intent {
    /// Signs in with a code.
    SignInCode,
    /// Signs in with a link.
    MagicLink,
    /// Makes the account that waits.
    SignUp,
    /// Finishes a sign-in with a password, where addresses have to be verified.
    FinishSignIn,
    /// Verifies the address of a user who is signed in.
    VerifyEmail,
    /// Gives a user who is signed in another address.
    ChangeEmail,
    /// Proves once more who acts.
    StepUp,
}

impl Intent {
    fn as_str(self) -> &'static str {
        match self {
            Self::SignInCode => "sign_in_code",
            Self::MagicLink => "magic_link",
            Self::SignUp => "sign_up",
            Self::FinishSignIn => "finish_sign_in",
            Self::VerifyEmail => "verify_email",
            Self::ChangeEmail => "change_email",
            Self::StepUp => "step_up",
        }
    }

    fn has_code(self) -> bool {
        self != Self::MagicLink
    }

    fn has_link(self) -> bool {
        !matches!(self, Self::SignInCode | Self::StepUp)
    }
}

/// What a flow was begun with, as it is sealed until it is taken.
#[derive(Serialize, Deserialize)]
pub(super) struct Pending {
    /// The address, as it was typed.
    pub(super) email: String,
    /// The user, if there was one when the flow began.
    pub(super) user_id: Option<UserId>,
    /// What they had shown before it began.
    pub(super) method: Option<SignInMethod>,
    /// The workspace that was named.
    pub(super) workspace_id: Option<WorkspaceId>,
    /// The language that was named.
    pub(super) locale: Option<String>,
    /// The account that waits for it.
    pub(super) account: Option<Registration>,
}

impl Pending {
    fn plain(&self) -> Result<Zeroizing<Vec<u8>>> {
        let plain = serde_json::to_vec(self).map(Zeroizing::new);
        plain.map_err(|e| Error::internal("email_proof", "a pending proof cannot be serialized").with_source(e))
    }
}

/// Where what was begun is sealed.
fn place(flow: &[u8]) -> Place<'_> {
    Place { workspace: INSTALLATION, table: "atom_email_proofs", row: flow, field: "sealed", version: 1 }
}

/// An address as it is stored.
fn address_hash(inner: &Inner, canonical: &str) -> [u8; 32] {
    inner.keys.keyed_hash([&b"address of an e-mail proof"[..], canonical.as_bytes()])
}

/// The token of a flow as it is stored.
fn flow_hash(inner: &Inner, flow: &Secret) -> [u8; 32] {
    inner.keys.keyed_hash([&b"flow of an e-mail proof"[..], flow.expose().as_bytes()])
}

/// The token of a link as it is stored.
fn link_hash(inner: &Inner, link: &Secret) -> [u8; 32] {
    inner.keys.keyed_hash([&b"link of an e-mail proof"[..], link.expose().as_bytes()])
}

/// A code as it is stored: it is good for one intent, one address and one flow.
fn code_hash(inner: &Inner, intent: Intent, address: &[u8], flow: &[u8], code: &str) -> [u8; 32] {
    inner.keys.keyed_hash([&b"code of an e-mail proof"[..], intent.as_str().as_bytes(), address, flow, code.as_bytes()])
}

/// Ends all flows of an address: it is its user's no longer.
pub(super) async fn end_all(inner: &Inner, tx: &mut Tx, address: &str, now: DateTime<Utc>) -> Result<()> {
    store::end_all(tx, &address_hash(inner, &email::identifier(address)), now).await
}

/// Forgets all flows of a user who goes, and of their address.
pub(super) async fn forget(inner: &Inner, tx: &mut Tx, user: UserId, canonical: &str) -> Result<()> {
    store::delete_all(tx, &address_hash(inner, canonical), user).await
}
