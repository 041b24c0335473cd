//! Sessions: a user on a device, in a workspace.
//!
//! A session is a row. Its client proves it with a short-lived [`access_token`], which any process believes without asking the database, and
//! renews that with a [`refresh_token`], which the database knows by a counter. [`refresh`] is safe to repeat, and tells a repetition from a
//! theft. Who cannot wait until an access token is over asks the database ([`live`]). Sessions [`end`] one by one, or all of a user at
//! once, in all their workspaces: a device is signed in as somebody, wherever it went.

mod access_token;
mod begin;
mod end;
mod list;
mod live;
mod model;
mod prove;
mod refresh;
mod refresh_token;
mod settings;
mod sign_out;
mod store;
mod upkeep;

pub(super) use access_token::verify;
pub(super) use begin::NewSession;
pub(super) use end::{acting, end_for, with_membership as end_with_membership, with_workspace as end_with_workspace};
pub(super) use list::{all, run as list};
pub(super) use live::{Standing, check as check_live, hold, standing};
pub use model::ActiveSession;
pub(super) use prove::{note, run as prove};
pub(super) use refresh::{known_device, run as refresh};
pub(crate) use settings::SessionSettings;
pub(super) use sign_out::run as sign_out;
pub(super) use store::Which;
pub(crate) use upkeep::{CHORE, sweep};

use super::Principal;
#[cfg(feature = "testing")]
use super::SignInMethod;
use crate::atom::Inner;
use crate::{Error, ErrorKind, Result, SessionId};
use atom_macros::{api, handle};
use std::sync::Arc;

/// The sessions of the user, in all their workspaces: the devices that are signed in.
///
/// The session that asks must stand at this moment, as with `Atom.authenticate_live`, and the scope must have no purpose: `unauthenticated`
/// (`session_revoked`, `session_expired`) or `forbidden` (`purpose_fixed`).
///
/// ```
/// # tokio::runtime::Runtime::new().unwrap().block_on(async {
/// # let folder = tempfile::tempdir().unwrap();
/// # let url = format!("sqlite:{}", folder.path().join("atom.db").display());
/// # use atom_core::{Atom, Client, Credentials, LocalKey, NewAccount};
/// # let atom = Atom::builder(url).key(LocalKey::generate()?).open().await?;
/// # let account = NewAccount { email: "ada@example.com".into(), password: "an engine of brass".into(), ..Default::default() };
/// # let session = atom.accounts().sign_up(account).await?;
/// let client = Client { ip: Some("192.0.2.7".into()), device_name: Some("Ada's phone".into()), ..Default::default() };
/// let phone = Credentials {
///     email: "ada@example.com".into(),
///     password: "an engine of brass".into(),
///     client: Some(client.clone()),
///     ..Default::default()
/// };
/// let phone = atom.accounts().sign_in(phone).await?.signed_in()?;
///
/// let sessions = atom.authenticate(session.access_token).await?.sessions();
/// let listed = sessions.list().await?;
/// assert_eq!((listed[0].id, listed[0].is_current, &listed[0].client), (phone.id, false, &Some(client)));
///
/// sessions.revoke(phone.id).await?;
/// assert_eq!(atom.authenticate_live(phone.access_token).await.err().unwrap().reason(), "session_revoked");
/// # Ok::<(), atom_core::Error>(()) }).unwrap();
/// ```
#[handle]
pub struct Sessions {
    pub(crate) inner: Arc<Inner>,
    pub(crate) principal: Principal,
}

#[api]
impl Sessions {
    /// The user's sessions that have not ended, newest first.
    pub async fn list(&self) -> Result<Vec<ActiveSession>> {
        list::run(&self.inner, &self.standing().await?).await
    }

    /// Ends a session of the user's: its refresh token is refused from now on and so is its access token by `Atom.authenticate_live`, in all
    /// processes. `Atom.authenticate` believes the access token until it expires. Ending it twice is no error.
    ///
    /// Fails with `not_found`.
    pub async fn revoke(&self, id: SessionId) -> Result<()> {
        end::revoke(&self.inner, &self.standing().await?, id).await
    }

    /// Ends all sessions of the user but this one, in one transaction, and returns how many: after a change of the password, or on a suspicion.
    ///
    /// Fails with `invalid` (`no_session`: the scope is of `Atom.act_as`).
    pub async fn revoke_others(&self) -> Result<i64> {
        end::revoke_others(&self.inner, &self.standing().await?).await
    }

    /// Ends all sessions of the user, this one too, in one transaction, and returns how many.
    pub async fn revoke_all(&self) -> Result<i64> {
        end::revoke_all(&self.inner, &self.standing().await?).await
    }
}

impl Sessions {
    /// Whoever has a stolen access token of a session that was ended must not end others with it.
    async fn standing(&self) -> Result<Principal> {
        self.principal.check_unbound()?;
        live::check(&self.inner, self.principal.clone()).await
    }
}

pub(super) fn revoked() -> Error {
    Error::new(
        ErrorKind::Unauthenticated,
        "session_revoked",
        "the session was ended, or its account is no longer active: sign in",
    )
}

/// Stores so many sessions of a user and returns their refresh tokens, for tests that need many sealed records.
#[cfg(feature = "testing")]
pub(crate) async fn fill(inner: &Inner, principal: &Principal, count: usize) -> Result<Vec<crate::Secret>> {
    let (db, workspace, now) = (inner.db()?, principal.workspace_id, inner.now());
    let mut tokens = Vec::with_capacity(count);
    while tokens.len() < count {
        let mut page = Vec::new();
        for _ in tokens.len()..count.min(tokens.len() + 1000) {
            let session = NewSession::generate(None, vec![SignInMethod::Password])?;
            let sealed = session.seal(inner, workspace).await?;
            tokens.push(session.first_refresh_token(workspace));
            page.push((session, sealed));
        }
        let mut tx = db.begin().await?;
        for (session, sealed) in page {
            session.insert(inner, &mut tx, workspace, principal.user_id, &sealed, now).await?;
        }
        tx.commit().await?;
    }
    Ok(tokens)
}
