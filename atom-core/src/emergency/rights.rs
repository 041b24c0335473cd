//! Who may ask, and whose approvals count. Roles are asked for at the moment of each act: an access token may be from before they changed.

use super::offline_key;
use super::store::{self, RequestRow};
use crate::accounts::{Accounts, Principal, Role, acting};
use crate::storage::Tx;
use crate::{Error, ErrorKind, Result, UserId};
use chrono::{DateTime, Utc};

/// How many approvals it takes.
const APPROVALS: i64 = 2;

/// Who somebody is in the workspace now. Whoever was let in for one purpose has no say in emergencies.
///
/// Fails with `forbidden` (`not_a_member`, `purpose_fixed`).
async fn role(tx: &mut Tx, principal: &Principal) -> Result<Role> {
    principal.check_unbound()?;
    Ok(acting(tx, principal).await?.role)
}

/// Refuses everyone but those who are owners and admins now; `act` completes the sentence that they are told.
pub(super) async fn check_admin(tx: &mut Tx, principal: &Principal, act: &str) -> Result<()> {
    Principal { role: role(tx, principal).await?, ..principal.clone() }.check_admin(act)
}

/// Refuses everyone but those who are owners now.
pub(super) async fn check_owner(tx: &mut Tx, principal: &Principal) -> Result<()> {
    if role(tx, principal).await? == Role::Owner {
        return Ok(());
    }
    let text = "only owners of the workspace set its offline key: ask one of them";
    Err(Error::new(ErrorKind::Forbidden, "not_an_owner", text))
}

/// Refuses whoever may not ask for a secret now: it is theirs, or they run the workspace.
pub(super) async fn check_requester(tx: &mut Tx, principal: &Principal, owner: Option<UserId>) -> Result<()> {
    let role = role(tx, principal).await?;
    if owner == Some(principal.user_id) {
        return Ok(());
    }
    Principal { role, ..principal.clone() }.check_admin("ask for secrets that are not their own")
}

/// Whether the approvals of a request are enough now: those of two owners or admins other than whoever made it. One of the two may be the
/// offline key's, and where nobody else could approve, that one is enough.
pub(super) async fn are_enough(tx: &mut Tx, row: &RequestRow, now: DateTime<Utc>) -> Result<bool> {
    let (workspace, requester) = (row.workspace(), row.requester());
    let key = store::key_in(tx, workspace).await?.and_then(|key| offline_key::present(&key, now));
    let (mut members, mut is_offline) = (0, false);
    for approver in store::approvers(tx, row).await? {
        match approver.parse::<UserId>() {
            Ok(user) => {
                let role = Accounts::role(tx, workspace, user).await?;
                members += i64::from(user != requester && role.is_some_and(Role::is_admin));
            }
            // A key that was replaced or removed since does not count.
            Err(_) => is_offline |= key.as_ref() == Some(&approver),
        }
    }
    let is_alone = is_offline && Accounts::other_admins(tx, workspace, requester).await? == 0;
    Ok(is_alone || members + i64::from(is_offline) >= APPROVALS)
}
