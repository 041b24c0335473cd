//! Events that concern one person: what they are told of them, and what is forgotten with them.

use super::{Event, names, store};
use crate::storage::{Db, Tx};
use crate::{EventId, Result, UserId, WorkspaceId};

/// All events that concern a user, in all workspaces. They are found by looking at every event, so this is for what is rare.
pub(crate) async fn of_user(db: &Db, user: UserId) -> Result<Vec<(WorkspaceId, Event)>> {
    store::of_user(db, user).await
}

/// Takes the data out of the host's events that concern a user, and says which they were. Those of Atom's own name people by their ids only, and numbers have
/// no gaps, so no event is deleted.
pub(crate) async fn forget_user(tx: &mut Tx, user: UserId) -> Result<Vec<(WorkspaceId, EventId)>> {
    let mut emptied = Vec::new();
    for name in store::names_of_user(tx, user).await? {
        if !names::RESERVED.contains(&names::first_word(&name)) {
            emptied.extend(store::empty_of_user(tx, user, &name).await?);
        }
    }
    Ok(emptied)
}
