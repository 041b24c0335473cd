//! What the accounts API takes and returns.

use super::{Client, Purpose};
use crate::audit::Actor;
use crate::{Error, ErrorKind, Result, Secret, SessionId, UserId, WorkspaceId};
use atom_macros::model;
use chrono::{DateTime, Utc};

/// What a member may do in a workspace, from most to least.
#[model]
pub enum Role {
    /// Everything, including deleting the workspace.
    Owner,
    /// Everything but ownership.
    Admin,
    /// Works with what the workspace shares.
    Member,
    /// Sees what was shared with them.
    Guest,
}

impl Role {
    /// Whether it is one of those who run the workspace.
    pub(crate) fn is_admin(self) -> bool {
        matches!(self, Self::Owner | Self::Admin)
    }
}

/// A person with an account.
#[model]
pub struct User {
    /// Its id.
    pub id: UserId,
    /// The e-mail address as the user wrote it.
    pub email: String,
    /// Whether it was proved that the address is theirs.
    pub email_verified: bool,
    /// The name to show.
    pub display_name: Option<String>,
    /// The language of mails to them, such as `de-AT`.
    pub locale: Option<String>,
    /// When the account was made.
    pub created_at: DateTime<Utc>,
}

/// A tenant: everything that belongs to someone belongs to a workspace.
#[model]
pub struct Workspace {
    /// Its id.
    pub id: WorkspaceId,
    /// The name to show.
    pub name: String,
    /// When it was made.
    pub created_at: DateTime<Utc>,
}

/// What is needed to sign up.
#[model(secret, default)]
pub struct NewAccount {
    /// The e-mail address. Letter case and surrounding spaces do not matter for finding the account again.
    pub email: String,
    /// At least 15 characters by default; any characters, no composition rules (NIST SP 800-63B).
    pub password: Secret,
    /// The name to show.
    pub display_name: Option<String>,
    /// The name of the first workspace. Default: the display name, or the part of the e-mail before the `@`.
    pub workspace_name: Option<String>,
    /// The language of mails to them, such as `de-AT`: a language tag of BCP 47. Default: English.
    pub locale: Option<String>,
    /// What is known of the client that signs up.
    pub client: Option<Client>,
}

/// What is needed to sign in.
#[model(secret, default)]
pub struct Credentials {
    /// The e-mail address of the account.
    pub email: String,
    /// Its password.
    pub password: Secret,
    /// The workspace to enter. Default: the one that the user joined first.
    pub workspace_id: Option<WorkspaceId>,
    /// What is known of the client that signs in.
    pub client: Option<Client>,
    /// The last refresh token that this device had for the account, if it has one, even of a session that has expired or was signed out of: on a device that
    /// was signed in before, the failures of others do not count. Any other text is ignored.
    pub known_device: Option<Secret>,
}

/// A signed-in user: who, where, and the two tokens.
#[model(secret)]
pub struct Session {
    /// The session's id, which stays the same when its tokens are refreshed.
    pub id: SessionId,
    /// Who signed in.
    pub user: User,
    /// The workspace that was entered.
    pub workspace: Workspace,
    /// What the user may do there.
    pub role: Role,
    /// Proves the session to `authenticate`: a signed JWT (EdDSA, `at+jwt`), valid for a quarter of an hour.
    pub access_token: Secret,
    /// When the access token stops working.
    pub access_expires_at: DateTime<Utc>,
    /// Exchanged for a new pair of tokens by `refresh`. Keep it where only this client can read it.
    pub refresh_token: Secret,
    /// When the session ends if it is not refreshed before.
    pub refresh_expires_at: DateTime<Utc>,
}

/// Who is acting: a user in a workspace with a role.
#[model]
pub struct Principal {
    /// The user.
    pub user_id: UserId,
    /// The workspace. Nothing outside it is visible.
    pub workspace_id: WorkspaceId,
    /// What the user may do there.
    pub role: Role,
    /// The session that was shown; none for work that runs without the user present.
    pub session_id: Option<SessionId>,
    /// What the scope is used for, where that was said: see `Scope.for_purpose`.
    pub purpose: Option<Purpose>,
}

impl Principal {
    /// The principal as the audit log names it.
    pub(crate) fn actor(&self) -> Actor {
        Actor { user: self.user_id, session: self.session_id }
    }

    /// Whether they run the workspace.
    pub(crate) fn is_admin(&self) -> bool {
        self.role.is_admin()
    }

    /// Refuses everyone but the owners and admins of the workspace; `act` completes the sentence that they are told.
    pub(crate) fn check_admin(&self, act: &str) -> Result<()> {
        if self.is_admin() {
            return Ok(());
        }
        let text = format!("only owners and admins of the workspace {act}: ask one of them");
        Err(Error::new(ErrorKind::Forbidden, "not_an_admin", text))
    }
}
