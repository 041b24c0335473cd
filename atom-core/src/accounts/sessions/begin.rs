//! The begin of a session, and the tokens that its client gets then and at every refresh.

use super::live::Standing;
use super::refresh_token::token;
use super::{access_token, store};
use crate::accounts::{Client, Principal, Role, Session, SignInMethod, User, Workspace};
use crate::atom::Inner;
use crate::crypto::{Key, NewKey, Place, random_key};
use crate::storage::{Timestamp, Tx};
use crate::{Error, Result, SessionId, UserId, WorkspaceId};
use chrono::{DateTime, Utc};

/// The place of a session's sealed refresh key.
pub(super) fn key_place<'a>(workspace: WorkspaceId, session: &'a SessionId) -> Place<'a> {
    Place { workspace, table: "atom_sessions", row: session.0.as_bytes(), field: "refresh_key", version: 1 }
}

/// The place of what is known of its client, as it was told for the `revision`th time.
pub(super) fn client_place<'a>(workspace: WorkspaceId, session: &'a SessionId, revision: i64) -> Place<'a> {
    Place { workspace, table: "atom_sessions", row: session.0.as_bytes(), field: "client", version: revision }
}

/// A client as the bytes that are sealed.
pub(super) fn plain(client: &Client) -> Result<Vec<u8>> {
    serde_json::to_vec(client).map_err(|e| Error::internal("client", "a client cannot be written").with_source(e))
}

/// A session that is about to be stored.
pub(in crate::accounts) struct NewSession {
    pub(in crate::accounts) id: SessionId,
    key: Key,
    client: Option<Client>,
    /// How the user has proved who they are.
    methods: Vec<SignInMethod>,
    /// Where it goes on from another one: when the user proved it, and when that one must end.
    origin: Option<(DateTime<Utc>, DateTime<Utc>)>,
}

/// What of a session is stored sealed.
pub(in crate::accounts) struct Sealed {
    pub(super) refresh_key: Vec<u8>,
    /// The first revision.
    pub(super) client: Option<Vec<u8>>,
}

impl NewSession {
    /// A session of a client, which is in its canonical form, after a proof.
    pub(in crate::accounts) fn generate(client: Option<Client>, methods: Vec<SignInMethod>) -> Result<Self> {
        Ok(Self { id: SessionId::generate(), key: random_key()?, client, methods, origin: None })
    }

    /// A session of the same client beside another one, which proves no more and lasts no longer.
    pub(in crate::accounts) fn beside(standing: &Standing, client: Option<Client>) -> Result<Self> {
        let (methods, origin) = (standing.methods.clone(), Some((standing.proved_at, standing.ends_at)));
        Ok(Self { id: SessionId::generate(), key: random_key()?, client, methods, origin })
    }

    /// When it must end.
    fn ends_at(&self, inner: &Inner, now: DateTime<Utc>) -> DateTime<Utc> {
        self.origin.map_or_else(|| inner.sessions.ends_at(now), |(_, ends_at)| ends_at)
    }

    /// Seals it under the newest data key of a workspace.
    pub(in crate::accounts) async fn seal(&self, inner: &Inner, workspace: WorkspaceId) -> Result<Sealed> {
        let db = inner.db()?;
        let refresh_key = inner.keys.seal_record(db, &key_place(workspace, &self.id), &self.key[..]).await?;
        let client = match &self.client {
            Some(client) => Some(inner.keys.seal_record(db, &client_place(workspace, &self.id, 1), &plain(client)?).await?),
            None => None,
        };
        Ok(Sealed { refresh_key, client })
    }

    /// Seals it under the first data key of a workspace.
    pub(in crate::accounts) fn seal_under(&self, data_key: &NewKey, workspace: WorkspaceId) -> Result<Sealed> {
        let refresh_key = data_key.seal(&key_place(workspace, &self.id), &self.key[..])?;
        let seal = |client: &Client| data_key.seal(&client_place(workspace, &self.id, 1), &plain(client)?);
        Ok(Sealed { refresh_key, client: self.client.as_ref().map(seal).transpose()? })
    }

    /// Stores it for a user who is held and active: whoever would end all their sessions finds this one.
    pub(in crate::accounts) async fn insert(
        &self,
        inner: &Inner,
        tx: &mut Tx,
        workspace: WorkspaceId,
        user: UserId,
        sealed: &Sealed,
        now: DateTime<Utc>,
    ) -> Result<()> {
        let (methods, ends_at) = (&self.methods, self.ends_at(inner, now));
        let proved_at = self.origin.map_or(now, |(proved_at, _)| proved_at);
        store::insert(tx, store::Begun { workspace, id: self.id, user, sealed, methods, proved_at, ends_at }, now).await
    }

    /// Its first tokens, once it is stored.
    pub(in crate::accounts) async fn tokens(
        self,
        inner: &Inner,
        user: User,
        workspace: Workspace,
        role: Role,
        now: DateTime<Utc>,
    ) -> Result<Session> {
        // As it is stored, so that the list of sessions says the same.
        let now = Timestamp::from(now).0;
        let expires_at = inner.sessions.expires_at(now, self.ends_at(inner, now));
        Issue { user, workspace, role, session: self.id, counter: 0, expires_at }.tokens(inner, &self.key[..], now).await
    }

    #[cfg(feature = "testing")]
    pub(super) fn first_refresh_token(&self, workspace: WorkspaceId) -> crate::Secret {
        token(&self.key[..], workspace, self.id, 0)
    }
}

/// Everything that a caller gets: the tokens for a counter of a session.
pub(super) struct Issue {
    pub(super) user: User,
    pub(super) workspace: Workspace,
    pub(super) role: Role,
    pub(super) session: SessionId,
    pub(super) counter: i64,
    pub(super) expires_at: DateTime<Utc>,
}

impl Issue {
    pub(super) async fn tokens(self, inner: &Inner, key: &[u8], now: DateTime<Utc>) -> Result<Session> {
        let principal = Principal {
            user_id: self.user.id,
            workspace_id: self.workspace.id,
            role: self.role,
            session_id: Some(self.session),
            purpose: None,
        };
        let (access_token, access_expires_at) = access_token::issue(inner, &principal, self.session, now).await?;
        Ok(Session {
            id: self.session,
            access_token,
            access_expires_at,
            refresh_token: token(key, self.workspace.id, self.session, self.counter),
            refresh_expires_at: self.expires_at,
            user: self.user,
            workspace: self.workspace,
            role: self.role,
        })
    }
}
