//! Invitations into a workspace.
//!
//! An invitation is for one address. Its token is sent there and nowhere else, so that whoever shows it has read that mail; of it the database has the hash.
//! [`send`] makes one, or gives one another token; [`accept`] uses it, once, for the account of that address, which is there already or is made then. The row
//! of the workspace is held meanwhile, so that no more join than there are seats.

mod accept;
mod model;
mod send;
mod show;
pub(super) mod store;
mod token;

pub(super) use accept::with_new_account;
pub use model::{
    AcceptInvitation, Invitation, InvitationFilter, InvitationPage, InvitationPreview, InvitationState, NewInvitation,
};
pub(super) use show::run as show;

use super::workspaces::{WorkspaceMembership, WorkspaceSeats};
use super::{Principal, rights};
use crate::atom::Inner;
use crate::audit::{self, AuditAction, Entry};
use crate::events::{self, InvitationRevoked};
use crate::{Error, ErrorKind, InvitationId, Result, Secret};
use atom_macros::{api, handle};
use std::sync::Arc;

/// The invitations of the workspace, and the way to accept one into another.
///
/// Owners and admins invite, to their own role at most, with a session that stands and a scope that has no purpose. Each open invitation holds a seat of the
/// workspace, where those are limited. An invitation is valid for `OpenOptions.invitation_days`, and once.
///
/// ```
/// # tokio::runtime::Runtime::new().unwrap().block_on(async {
/// # use atom_core::{Atom, NewAccount, NewInvitation, Role};
/// # let atom = Atom::builder("memory:").open().await?;
/// # let account = NewAccount { email: "ada@example.com".into(), password: "an engine of brass".into(), ..Default::default() };
/// let session = atom.accounts().sign_up(account).await?;
/// let invitations = atom.authenticate(session.access_token).await?.invitations();
/// let bob = NewInvitation { email: "bob@example.com".into(), role: Role::Member, locale: None };
///
/// // Without a way to send mail nobody is invited.
/// assert_eq!(invitations.create(bob).await.unwrap_err().reason(), "mail_not_configured");
/// # Ok::<(), atom_core::Error>(()) }).unwrap();
/// ```
#[handle]
pub struct Invitations {
    pub(crate) inner: Arc<Inner>,
    pub(crate) principal: Principal,
}

#[api]
impl Invitations {
    /// Invites somebody by mail. An open invitation to the same address ends with that.
    ///
    /// Fails with `conflict` (`already_a_member`; `no_seats_left`: the operator sets how many there are), `forbidden` (`not_an_admin`,
    /// `role_above_own`, `not_a_member`, `purpose_fixed`), `rate_limited` (`too_many_attempts`), `unsupported` (`mail_not_configured`) or `invalid`
    /// (`malformed_email`, `malformed_locale`).
    pub async fn create(&self, invitation: NewInvitation) -> Result<Invitation> {
        send::first(self, invitation).await
    }

    /// Lists invitations, newest first, a page at a time. They are kept for 30 days after their end.
    ///
    /// Fails with `forbidden` (`not_an_admin`) or `invalid` (`malformed_page_size`, `malformed_cursor`).
    pub async fn list(&self, filter: InvitationFilter) -> Result<InvitationPage> {
        self.check_role()?;
        store::list(self.inner.db()?, self.principal.workspace_id, &filter, self.inner.now()).await
    }

    /// Sends an invitation once more, with another token and the whole time again; the token before is good for nothing then.
    ///
    /// Fails with `not_found`, `conflict` (`invitation_over`: it was accepted or revoked; `no_seats_left`) and otherwise as `create` does.
    pub async fn resend(&self, id: InvitationId) -> Result<Invitation> {
        send::again(self, id).await
    }

    /// Withdraws an invitation. Doing it twice is no error.
    ///
    /// Fails with `not_found`, `conflict` (`invitation_over`: it was accepted; remove the member) or `forbidden` (`not_an_admin`, `not_a_member`,
    /// `purpose_fixed`).
    pub async fn revoke(&self, id: InvitationId) -> Result<Invitation> {
        let (inner, workspace, now) = (&self.inner, self.principal.workspace_id, self.inner.now());
        let principal = rights::standing(inner, &self.principal).await?;
        let mut tx = inner.db()?.begin_durable().await?;
        rights::acting(&mut tx, &principal).await?.check_admin(ACT)?;
        if store::revoke(&mut tx, workspace, id, now).await? {
            let (actor, action, subject) = (principal.actor(), AuditAction::InvitationRevoked, Some(id.to_string()));
            audit::append(&mut tx, Entry { workspace, actor, action, subject, details: &[] }, now).await?;
            events::append(&mut tx, workspace, InvitationRevoked { invitation_id: id }, now).await?;
        }
        tx.commit().await?;
        let invitation = store::get(inner.db()?, workspace, id).await?.into_invitation(now)?;
        if invitation.state == InvitationState::Accepted { Err(over()) } else { Ok(invitation) }
    }

    /// Accepts an invitation into another workspace, whose token came to the user's own address: that address is verified with it. Enter the workspace with
    /// `Workspaces.switch_to`.
    ///
    /// Fails with `not_found` (`invitation_invalid`: unknown, over, used or withdrawn; ask for another one), `forbidden` (`invitation_for_another`: sign in
    /// with the address that it was sent to; `purpose_fixed`), `conflict` (`already_a_member`, `no_seats_left`) or `unauthenticated` (`session_revoked`,
    /// `session_expired`).
    pub async fn accept(&self, token: Secret) -> Result<WorkspaceMembership> {
        accept::signed_in(self, token).await
    }
}

/// Completes the sentence that those are told who may not.
const ACT: &str = "invite others";

impl Invitations {
    fn check_role(&self) -> Result<()> {
        self.principal.check_admin(ACT)
    }
}

/// One answer to whatever is no token of an open invitation.
fn invalid() -> Error {
    let text = "the invitation is unknown, over, used or withdrawn: ask whoever sent it for another one";
    Error::new(ErrorKind::NotFound, "invitation_invalid", text)
}

fn over() -> Error {
    Error::new(ErrorKind::Conflict, "invitation_over", "the invitation was accepted or revoked already: read it again and decide")
}

fn already_a_member() -> Error {
    Error::new(ErrorKind::Conflict, "already_a_member", "this is a member of the workspace already: change their role instead")
}

/// Refuses what takes more seats than there are.
fn check_seats(seats: &WorkspaceSeats) -> Result<()> {
    if seats.limit.is_none_or(|limit| seats.members.saturating_add(seats.invitations) <= limit) {
        return Ok(());
    }
    let text = "the workspace has no seats left: revoke an invitation, remove a member, or ask for more seats";
    Err(Error::new(ErrorKind::Conflict, "no_seats_left", text))
}
