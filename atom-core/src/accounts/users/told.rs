//! Who acts on a user, and where that is told.

use super::store;
use crate::accounts::Principal;
use crate::audit::{self, Actor, AuditAction, Entry};
use crate::crypto::INSTALLATION;
use crate::events::{self, Draft, Payload};
use crate::storage::Tx;
use crate::{Result, SessionId, UserId, WorkspaceId};
use chrono::{DateTime, Utc};
use uuid::Uuid;

/// Who acts on a user: the operator, or the user.
#[derive(Clone, Copy)]
pub(in crate::accounts) struct By {
    user: UserId,
    /// The session in which the user acts, and where.
    pub(super) acting: Option<(WorkspaceId, SessionId)>,
}

impl By {
    /// The host itself, which is nobody in particular.
    pub(super) fn operator() -> Self {
        Self { user: UserId(Uuid::nil()), acting: None }
    }

    /// A user, on themselves.
    pub(in crate::accounts) fn user(principal: &Principal) -> Self {
        let acting = principal.session_id.map(|session| (principal.workspace_id, session));
        Self { user: principal.user_id, acting }
    }

    /// As the log of a workspace names them: that of one workspace does not name the sessions of another.
    pub(super) fn actor_in(self, workspace: WorkspaceId) -> Actor {
        let session = self.acting.filter(|(at, _)| *at == workspace).map(|(_, session)| session);
        Actor { user: self.user, session }
    }
}

/// What tells of an act on a user: in each of their workspaces, or in the log of the installation where they have none.
pub(super) async fn told<'a>(
    tx: &mut Tx,
    user: UserId,
    by: By,
    action: AuditAction,
    details: &'a [(&'static str, &'a str)],
    event: &impl Payload,
) -> Result<Vec<(Entry<'a>, Draft)>> {
    let mut places = store::workspaces(tx, user).await?;
    if places.is_empty() {
        places.push(INSTALLATION);
    }
    let tell = |workspace| {
        let (actor, subject) = (by.actor_in(workspace), Some(user.to_string()));
        Ok((Entry { workspace, actor, action, subject, details }, Draft::of(event)?))
    };
    places.into_iter().map(tell).collect()
}

/// Appends it, in the order in which everyone takes the logs of several workspaces.
pub(super) async fn tell(tx: &mut Tx, mut told: Vec<(Entry<'_>, Draft)>, now: DateTime<Utc>) -> Result<()> {
    told.sort_by_key(|(entry, _)| entry.workspace);
    let mut drafts = Vec::with_capacity(told.len());
    for (entry, draft) in told {
        drafts.push((entry.workspace, draft));
        audit::append(tx, entry, now).await?;
    }
    events::append_all(tx, drafts, now).await
}
