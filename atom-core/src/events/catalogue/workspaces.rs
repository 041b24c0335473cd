//! The events about workspaces and who is in them.

use crate::events::payload::{Field, Payload, catalogue};
use crate::events::{EventField, EventType};
use crate::{InvitationId, UserId, WorkspaceId};
use serde::Serialize;

catalogue! {
    /// A workspace was made by somebody who had an account.
    "workspace.created" = WorkspaceCreated(about workspace_id) {
        /// The workspace.
        workspace_id: WorkspaceId,
        /// Who made it.
        creator_id: UserId,
    }

    /// A workspace got another name.
    "workspace.renamed" = WorkspaceRenamed(about workspace_id) {
        /// The workspace.
        workspace_id: WorkspaceId,
        /// Its name.
        name: String,
    }

    /// A workspace was deleted. This is an event of the installation: see `Keys.events`.
    "workspace.deleted" = WorkspaceDeleted(about workspace_id) {
        /// The workspace that was.
        workspace_id: WorkspaceId,
    }

    /// The host said how many members a workspace may have.
    "workspace.seats_changed" = WorkspaceSeatsChanged(about workspace_id) {
        /// The workspace.
        workspace_id: WorkspaceId,
        /// How many; `null` if there is no limit.
        seats: Option<i64>,
    }

    /// Somebody accepted an invitation and is a member now.
    "member.joined" = MemberJoined(about user_id) {
        /// The user.
        user_id: UserId,
        /// The invitation.
        invitation_id: InvitationId,
        /// What they may do.
        role: String,
    }

    /// A member got another role.
    "member.role_changed" = MemberRoleChanged(about user_id) {
        /// The user.
        user_id: UserId,
        /// The role that they had.
        from: String,
        /// The role that they have.
        role: String,
    }

    /// Somebody is no member any more.
    "member.left" = MemberLeft(about user_id) {
        /// The user.
        user_id: UserId,
        /// Why: `left`, `removed`, or `erased` with their account.
        reason: String,
    }

    /// Somebody was invited, or sent their invitation once more.
    "invitation.sent" = InvitationSent(about invitation_id) {
        /// The invitation.
        invitation_id: InvitationId,
        /// The role that it is for.
        role: String,
    }

    /// An invitation was withdrawn.
    "invitation.revoked" = InvitationRevoked(about invitation_id) {
        /// The invitation.
        invitation_id: InvitationId,
    }
}
