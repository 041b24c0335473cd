//! Appending to a chain.

use super::{AuditAction, store};
use crate::Result;
use crate::crypto::length_prefixed;
use crate::storage::{Timestamp, Tx};
use crate::{Error, SessionId, UserId, WorkspaceId};
use chrono::{DateTime, Utc};
use sha2::{Digest, Sha256};
use std::collections::BTreeMap;

/// Who acts. The nil user is nobody in particular: the host itself.
#[derive(Clone, Copy)]
pub(crate) struct Actor {
    pub(crate) user: UserId,
    pub(crate) session: Option<SessionId>,
}

/// An act that is about to be committed.
pub(crate) struct Entry<'a> {
    pub(crate) workspace: WorkspaceId,
    pub(crate) actor: Actor,
    pub(crate) action: AuditAction,
    pub(crate) subject: Option<String>,
    pub(crate) details: &'a [(&'static str, &'a str)],
}

/// A SHA-256 hash.
pub(super) type Hash = [u8; 32];

/// Appends an entry, in the transaction of the act. Entries of one workspace queue here until that transaction ends.
pub(crate) async fn append(tx: &mut Tx, entry: Entry<'_>, now: DateTime<Utc>) -> Result<()> {
    let workspace = entry.workspace;
    let (sequence, before) = store::next(tx, workspace, &genesis(workspace)).await?;
    let details: BTreeMap<_, _> = entry.details.iter().copied().collect();
    let details = serde_json::to_string(&details)
        .map_err(|e| Error::internal("audit_details", "an audit entry cannot be written").with_source(e))?;
    let mut row = store::AuditRow {
        workspace_id: workspace.0,
        sequence,
        at: Timestamp::from(now),
        action: entry.action.as_str().to_owned(),
        user_id: Some(entry.actor.user.0).filter(|user| !user.is_nil()),
        session_id: entry.actor.session.map(|s| s.0),
        subject: entry.subject,
        details,
        hash: Vec::new(),
    };
    row.hash = hash(workspace, &before, &row).to_vec();
    store::insert(tx, &row).await
}

/// What the first entry of a workspace is chained to.
pub(super) fn genesis(workspace: WorkspaceId) -> Hash {
    Sha256::digest(length_prefixed([&b"atom audit"[..], workspace.0.as_bytes()])).into()
}

/// The hash of an entry over a canonical list of its parts. An absent part and an empty one are told apart by a leading byte.
pub(super) fn hash(workspace: WorkspaceId, before: &[u8], row: &store::AuditRow) -> Hash {
    let optional = |part: Option<&[u8]>| part.map_or_else(Vec::new, |bytes| [&[1], bytes].concat());
    let parts = [
        workspace.0.as_bytes().to_vec(),
        before.to_vec(),
        row.sequence.to_be_bytes().to_vec(),
        row.at.0.timestamp_micros().to_be_bytes().to_vec(),
        row.action.as_bytes().to_vec(),
        optional(row.user_id.as_ref().map(|id| &id.as_bytes()[..])),
        optional(row.session_id.as_ref().map(|id| &id.as_bytes()[..])),
        optional(row.subject.as_deref().map(str::as_bytes)),
        row.details.as_bytes().to_vec(),
    ];
    Sha256::digest(length_prefixed(parts.iter().map(Vec::as_slice))).into()
}
