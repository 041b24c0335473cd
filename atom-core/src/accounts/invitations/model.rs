//! What the API of invitations takes and returns.

use crate::accounts::{Client, Role};
use crate::{InvitationId, Secret, UserId};
use atom_macros::model;
use chrono::{DateTime, Utc};

/// Whom to invite.
#[model]
pub struct NewInvitation {
    /// Where the invitation is sent. Only the account with this address can accept it.
    pub email: String,
    /// What they may do: at most what whoever invites may.
    pub role: Role,
    /// The language of the mail, such as `de`. Default: English.
    pub locale: Option<String>,
}

/// How an invitation stands.
#[model]
pub enum InvitationState {
    /// It can be accepted.
    Pending,
    /// It was accepted.
    Accepted,
    /// It was withdrawn, or a newer one for the same address took its place.
    Revoked,
    /// Its time is over.
    Expired,
}

/// An invitation into a workspace.
#[model]
pub struct Invitation {
    /// Its id. It opens nothing.
    pub id: InvitationId,
    /// Where it was sent.
    pub email: String,
    /// What the invitee may do.
    pub role: Role,
    /// How it stands.
    pub state: InvitationState,
    /// Who invited.
    pub invited_by: UserId,
    /// Who accepted it.
    pub accepted_by: Option<UserId>,
    /// When it was made.
    pub created_at: DateTime<Utc>,
    /// When it was sent last.
    pub sent_at: DateTime<Utc>,
    /// When it ends.
    pub expires_at: DateTime<Utc>,
}

/// Which invitations to list, newest first.
#[model(default)]
pub struct InvitationFilter {
    /// Only those that stand so.
    pub state: Option<InvitationState>,
    /// How many at most on a page, 1 to 1000. Default: 100.
    pub page_size: Option<i32>,
    /// Where the last page ended.
    pub cursor: Option<String>,
}

/// A page of invitations.
#[model]
pub struct InvitationPage {
    /// The invitations, newest first.
    pub items: Vec<Invitation>,
    /// Where the next page begins; none after the last.
    pub next_cursor: Option<String>,
}

/// What whoever has the token of an invitation is shown.
#[model]
pub struct InvitationPreview {
    /// The name of the workspace.
    pub workspace_name: String,
    /// Who invited, as they call themselves.
    pub inviter_name: Option<String>,
    /// The address that it was sent to.
    pub email: String,
    /// What the invitee may do.
    pub role: Role,
    /// When it ends.
    pub expires_at: DateTime<Utc>,
    /// Whether there is an account with this address: let its user sign in and accept with `Invitations.accept`. Otherwise let them choose a password, and
    /// call `Accounts.accept_invitation`.
    pub has_account: bool,
}

/// What is needed to accept an invitation with a new account.
#[model(secret)]
pub struct AcceptInvitation {
    /// The token of the mail's link.
    pub token: Secret,
    /// At least 15 characters by default; any characters, no composition rules (NIST SP 800-63B).
    pub password: Secret,
    /// The name to show.
    pub display_name: Option<String>,
    /// What is known of the client that signs up.
    pub client: Option<Client>,
}
