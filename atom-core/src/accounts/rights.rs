//! Who may decide over a workspace and its members, asked for at the moment of the act: an access token may be from before it changed.

use super::{Principal, Role, sessions, store};
use crate::atom::Inner;
use crate::storage::Tx;
use crate::{Error, ErrorKind, Result};

/// The principal of a session that stands, whose scope has no purpose.
///
/// Fails with `unauthenticated` (`session_revoked`, `session_expired`) or `forbidden` (`purpose_fixed`).
pub(super) async fn standing(inner: &Inner, principal: &Principal) -> Result<Principal> {
    principal.check_unbound()?;
    sessions::check_live(inner, principal.clone()).await
}

/// The same principal with the role of this moment, in a transaction that relies on it.
///
/// Fails with `forbidden` (`not_a_member`).
pub(crate) async fn acting(tx: &mut Tx, principal: &Principal) -> Result<Principal> {
    match store::role(tx, principal.workspace_id, principal.user_id).await? {
        Some(role) => Ok(Principal { role, ..principal.clone() }),
        None => {
            let text = "the user is no active member of this workspace any more: ask one of its owners";
            Err(Error::new(ErrorKind::Forbidden, "not_a_member", text))
        }
    }
}

impl Role {
    /// From least to most.
    fn rank(self) -> u8 {
        match self {
            Self::Guest => 0,
            Self::Member => 1,
            Self::Admin => 2,
            Self::Owner => 3,
        }
    }
}

impl Principal {
    /// Refuses everyone but the owners of the workspace; `act` completes the sentence that they are told.
    pub(super) fn check_owner(&self, act: &str) -> Result<()> {
        if self.role == Role::Owner {
            return Ok(());
        }
        let text = format!("only owners of the workspace {act}: ask one of them");
        Err(Error::new(ErrorKind::Forbidden, "not_an_owner", text))
    }

    /// Refuses whoever gives or takes a role above their own.
    pub(super) fn check_covers(&self, role: Role) -> Result<()> {
        if self.role.rank() >= role.rank() {
            return Ok(());
        }
        let text = "nobody gives a role above their own, or takes it away: ask somebody who has it";
        Err(Error::new(ErrorKind::Forbidden, "role_above_own", text))
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::{UserId, WorkspaceId};

    #[test]
    fn p22_nobody_decides_over_a_role_above_their_own() {
        let roles = [Role::Guest, Role::Member, Role::Admin, Role::Owner];
        for (i, own) in roles.into_iter().enumerate() {
            let (user_id, workspace_id) = (UserId::generate(), WorkspaceId::generate());
            let principal = Principal { user_id, workspace_id, role: own, session_id: None, purpose: None };
            for (j, other) in roles.into_iter().enumerate() {
                assert_eq!(principal.check_covers(other).is_ok(), j <= i, "{own:?} over {other:?}");
            }
            assert_eq!(principal.check_owner("do this").is_ok(), own == Role::Owner);
        }
    }
}
