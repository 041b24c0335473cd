//! Break-glass: a secret that nothing lets out is revealed to one member, with the approval of two others.
//!
//! A request waits for a day. Each approval is stored under a lock of the request's row ([`approve`]), and the one that makes them enough
//! grants it. The roles that this rests on are asked for at every step, and once more when the secret is revealed ([`rights`]), which is one
//! conditional update: once, in time, for whoever asked. Where there are not enough people, an Ed25519 key that is kept offline stands in for
//! one: it signs the request's [`challenge`]. Every step is in the audit log and an event; the reason, which may name people, is a sealed
//! record, and in neither.

mod approve;
mod cancel;
mod challenge;
mod deny;
mod expire;
mod model;
mod offline_key;
mod request;
mod reveal;
mod rights;
mod store;

pub(crate) use expire::CHORE;
#[cfg(feature = "testing")]
pub(crate) use expire::expire;
pub use model::{
    EmergencyApproval, EmergencyFilter, EmergencyPage, EmergencyRequest, EmergencySecret, EmergencySecretKind, EmergencyState,
    NewEmergencyAccess, OfflineKey,
};

pub(crate) use store::forget_user;

use crate::accounts::Principal;
use crate::atom::Inner;
use crate::audit::{self, AuditAction, Entry};
use crate::crypto::Place;
use crate::storage::Tx;
use crate::{ConnectionId, EmergencyRequestId, Error, ErrorKind, Result, ServiceKeyId, WorkspaceId};
use atom_macros::{api, handle};
use chrono::{DateTime, TimeDelta, Utc};
use std::sync::Arc;
use store::{ApprovalRow, RequestRow};

/// How long a request waits for its approvals.
const WAITS: TimeDelta = TimeDelta::days(1);

/// Secrets that nothing lets out, for emergencies: the tokens of a provider without `export_tokens`, and service keys that are not `exportable`.
///
/// Owners and admins of the workspace may ask for any of its secrets, and every member for their own. Two owners or admins other than
/// whoever asks must approve. One of the two approvals may be a signature of the workspace's offline key; where nobody else could approve,
/// that signature is enough. Each step is in the audit log and an event, so a webhook on `emergency.*` alerts whoever should know.
///
/// A scope that has a purpose asks for nothing here, approves nothing and reveals nothing: `forbidden` (`purpose_fixed`).
///
/// ```
/// # tokio::runtime::Runtime::new().unwrap().block_on(async {
/// # let folder = tempfile::tempdir().unwrap();
/// # let url = format!("sqlite:{}", folder.path().join("atom.db").display());
/// # use atom_core::{Atom, EmergencyState, LocalKey, NewAccount, NewEmergencyAccess, NewServiceKey};
/// # let atom = Atom::builder(url).key(LocalKey::generate()?).open().await?;
/// # let account = NewAccount { email: "ada@example.com".into(), password: "an engine of brass".into(), ..Default::default() };
/// let session = atom.accounts().sign_up(account).await?;
/// let scope = atom.authenticate(session.access_token).await?;
/// # let new = NewServiceKey { service: "openai".into(), value: "sk-proj-0123456789abcdefghij".into(), hosts: Some(vec!["api.openai.com".into()]), ..Default::default() };
/// let key = scope.service_keys().create(new).await?;
///
/// let emergency = scope.emergency_access();
/// let needed = NewEmergencyAccess {
///     service_key_id: Some(key.id),
///     reason: "the gateway is down and the vendor's support asks for the key".into(),
///     ..Default::default()
/// };
/// let request = emergency.request(needed).await?;
/// assert_eq!(request.state, EmergencyState::Pending);
///
/// // Two others approve it; until then it reveals nothing.
/// assert_eq!(emergency.approve(request.id).await.unwrap_err().reason(), "own_request");
/// assert_eq!(emergency.reveal(request.id).await.err().unwrap().reason(), "not_granted");
/// # Ok::<(), atom_core::Error>(()) }).unwrap();
/// ```
#[handle]
pub struct EmergencyAccess {
    pub(crate) inner: Arc<Inner>,
    pub(crate) principal: Principal,
}

#[api]
impl EmergencyAccess {
    /// Asks for a secret. Owners and admins have a day to approve it.
    ///
    /// Fails with `not_found`, `forbidden` (`not_an_admin`: the secret is the workspace's; `not_a_member`), `not_connected` (`disconnected`,
    /// `no_token_set`), `rate_limited` (20 requests a day) or `invalid`: `malformed_target`, `malformed_reason`, `malformed_minutes`,
    /// `malformed_token_set`.
    pub async fn request(&self, request: NewEmergencyAccess) -> Result<EmergencyRequest> {
        request::run(self, request).await
    }

    /// Lists requests, newest first, a page at a time: all of them for owners and admins, and for other members those that they made or
    /// whose secret is theirs.
    ///
    /// Fails with `invalid` (`malformed_page_size`, `malformed_cursor`).
    pub async fn list(&self, filter: EmergencyFilter) -> Result<EmergencyPage> {
        let size = filter.page_size.unwrap_or(100);
        if !(1..=1000).contains(&size) {
            return Err(Error::invalid("malformed_page_size", "page_size is between 1 and 1000"));
        }
        let malformed = |_| Error::invalid("malformed_cursor", "pass the cursor as the last page returned it");
        let before: Option<EmergencyRequestId> = filter.cursor.as_deref().map(str::parse).transpose().map_err(malformed)?;
        let (db, now) = (self.inner.db()?, self.inner.now());
        let mut rows = store::list(db, &self.principal, &filter, before, i64::from(size) + 1, now).await?;
        let more = rows.len() > usize::try_from(size).unwrap_or_default();
        if more {
            rows.pop();
        }
        let next_cursor = rows.last().filter(|_| more).map(|last| last.id().to_string());
        Ok(EmergencyPage { items: self.show(&rows).await?, next_cursor })
    }

    /// One request. Fails with `not_found`.
    pub async fn get(&self, id: EmergencyRequestId) -> Result<EmergencyRequest> {
        self.read(id).await
    }

    /// Approves a request of somebody else's. The second approval grants it; approving it twice counts once.
    ///
    /// Fails with `not_found`, `forbidden` (`not_an_admin`, `own_request`: another owner or admin must; `not_a_member`) or `conflict`
    /// (`already_granted`, `request_over`).
    pub async fn approve(&self, id: EmergencyRequestId) -> Result<EmergencyRequest> {
        approve::run(self, id).await
    }

    /// Approves a request with a signature of the offline key over its `challenge`: 64 bytes, in base64 or hexadecimal. Whoever sees the
    /// request may hand it in. With the private key on a machine of its own, it is made like this:
    ///
    /// ```text
    /// printf %s "$CHALLENGE" > challenge.txt
    /// openssl pkeyutl -sign -rawin -inkey offline.pem -in challenge.txt | openssl base64 -A
    /// ```
    ///
    /// Read the challenge before: it names the secret, who asks, and the SHA-256 of the reason.
    ///
    /// Fails with `not_found`, `invalid` (`malformed_signature`), `forbidden` (`wrong_signature`: sign exactly the challenge, with the key that
    /// counts now) or `conflict` (`no_offline_key`, `already_granted`, `request_over`).
    pub async fn approve_offline(&self, id: EmergencyRequestId, signature: String) -> Result<EmergencyRequest> {
        approve::offline(self, id, &signature).await
    }

    /// Denies a request of somebody else's, or takes a grant back that was not used yet. One denial ends it.
    ///
    /// Fails with `not_found`, `forbidden` (`not_an_admin`, `own_request`: cancel it; `not_a_member`) or `conflict` (`request_over`).
    pub async fn deny(&self, id: EmergencyRequestId) -> Result<EmergencyRequest> {
        deny::run(self, id).await
    }

    /// Withdraws one's own request.
    ///
    /// Fails with `not_found`, `forbidden` (`not_the_requester`) or `conflict` (`request_over`).
    pub async fn cancel(&self, id: EmergencyRequestId) -> Result<EmergencyRequest> {
        cancel::run(self, id).await
    }

    /// The secret itself, once, for whoever asked for it, within the minutes of the grant. From then on it is known to a person: rotate it.
    ///
    /// Who approved must be owner or admin still, and whoever asks a member. If the provider fails, the grant is not spent: call again.
    ///
    /// Fails with `not_found`, `forbidden` (`not_the_requester`, `not_an_admin`, `not_a_member`), `conflict` (`not_granted`, `request_over`,
    /// `approvals_lapsed`: ask again; `service_key_expired`) or as `Connection.access_token` does, but for what forbids export.
    pub async fn reveal(&self, id: EmergencyRequestId) -> Result<EmergencySecret> {
        reveal::run(self, id).await
    }

    /// The key that approves offline, and the one that takes its place.
    ///
    /// Fails with `forbidden` (`not_an_admin`).
    pub async fn offline_key(&self) -> Result<OfflineKey> {
        offline_key::get(self).await
    }

    /// Sets the key that approves offline: the 32 bytes of an Ed25519 public key, in hexadecimal or base64. It counts a day later, and until
    /// then the present one does, so that whoever has stolen a session cannot approve what they ask for. Setting the present one again keeps
    /// it, and drops one that was to take its place. A key is made on a machine of its own like this:
    ///
    /// ```text
    /// openssl genpkey -algorithm ed25519 -out offline.pem
    /// openssl pkey -in offline.pem -pubout -outform DER | tail -c 32 | openssl base64 -A
    /// ```
    ///
    /// Fails with `forbidden` (`not_an_owner`, `not_a_member`) or `invalid` (`malformed_public_key`).
    pub async fn set_offline_key(&self, public_key: String) -> Result<OfflineKey> {
        offline_key::set(self, &public_key).await
    }

    /// Removes the offline key at once, with the one to come and what it has approved. Removing it twice is no error.
    ///
    /// Fails with `forbidden` (`not_an_owner`, `not_a_member`).
    pub async fn remove_offline_key(&self) -> Result<()> {
        offline_key::remove(self).await
    }
}

impl EmergencyAccess {
    async fn read(&self, id: EmergencyRequestId) -> Result<EmergencyRequest> {
        self.shown(&store::get(self.inner.db()?, &self.principal, id).await?).await
    }

    async fn shown(&self, row: &RequestRow) -> Result<EmergencyRequest> {
        let mut shown = self.show(std::slice::from_ref(row)).await?;
        shown.pop().ok_or_else(|| Error::not_found("emergency request"))
    }

    /// Requests, in the order of their ids, as they are shown.
    async fn show(&self, rows: &[RequestRow]) -> Result<Vec<EmergencyRequest>> {
        let (Some(one), Some(other)) = (rows.first(), rows.last()) else { return Ok(Vec::new()) };
        let (first, last) = (one.id.min(other.id), one.id.max(other.id));
        let approvals = store::approvals(self.inner.db()?, self.principal.workspace_id, first, last).await?;
        let now = self.inner.now();
        let mut shown = Vec::with_capacity(rows.len());
        for row in rows {
            let own = approvals.iter().filter(|approval| approval.request_id == row.id).map(approval).collect();
            shown.push(to_request(row, self.reason(row).await?, own, now)?);
        }
        Ok(shown)
    }

    /// Why a request was made.
    async fn reason(&self, row: &RequestRow) -> Result<String> {
        let plain = self.inner.keys.open_record(self.inner.db()?, &place(row.workspace(), &row.id()), &row.reason).await?;
        let damaged = |_| Error::sealed("emergency_request_damaged", "a stored emergency request is malformed: make a new one");
        Ok(std::str::from_utf8(&plain).map_err(damaged)?.to_owned())
    }

    /// A request, for whoever made it.
    async fn own(&self, id: EmergencyRequestId) -> Result<RequestRow> {
        let row = store::get(self.inner.db()?, &self.principal, id).await?;
        if row.requester() == self.principal.user_id {
            return Ok(row);
        }
        let text = "this is for whoever made the request: make one of your own";
        Err(Error::new(ErrorKind::Forbidden, "not_the_requester", text))
    }

    /// Refuses whoever may not decide about a request.
    async fn check_judge(&self, id: EmergencyRequestId, act: &str) -> Result<()> {
        let row = store::get(self.inner.db()?, &self.principal, id).await?;
        if row.requester() == self.principal.user_id {
            let text = "nobody decides about their own request: ask another owner or admin, or cancel it";
            return Err(Error::new(ErrorKind::Forbidden, "own_request", text));
        }
        self.principal.check_admin(act)
    }

    /// Writes the audit entry of an act.
    async fn log(
        &self,
        tx: &mut Tx,
        action: AuditAction,
        id: Option<EmergencyRequestId>,
        details: &[(&'static str, &str)],
        now: DateTime<Utc>,
    ) -> Result<()> {
        let (workspace, actor) = (self.principal.workspace_id, self.principal.actor());
        audit::append(tx, Entry { workspace, actor, action, subject: id.map(|id| id.to_string()), details }, now).await
    }
}

/// The place of a sealed reason.
fn place(workspace: WorkspaceId, id: &EmergencyRequestId) -> Place<'_> {
    Place { workspace, table: "atom_emergency_requests", row: id.0.as_bytes(), field: "reason", version: 1 }
}

fn approval(row: &ApprovalRow) -> EmergencyApproval {
    EmergencyApproval { user_id: row.approver.parse().ok(), at: row.at.0 }
}

/// A request as it is shown at a moment.
fn to_request(
    row: &RequestRow,
    reason: String,
    approvals: Vec<EmergencyApproval>,
    now: DateTime<Utc>,
) -> Result<EmergencyRequest> {
    let state = row.state_at(now)?;
    Ok(EmergencyRequest {
        id: row.id(),
        requester_id: row.requester(),
        connection_id: row.connection_id.map(ConnectionId),
        token_set: row.token_set.clone(),
        service_key_id: row.service_key_id.map(ServiceKeyId),
        user_id: row.owner(),
        challenge: (state == EmergencyState::Pending).then(|| challenge::of(row, &reason)),
        reason,
        minutes: row.minutes,
        state,
        approvals,
        requested_at: row.requested_at.0,
        expires_at: row.expires_at.0,
        granted_at: row.granted_at.map(|at| at.0),
        ended_at: row.ended_at.map(|at| at.0),
    })
}

/// Why nothing more is to be decided about a request.
fn decided(state: EmergencyState) -> Error {
    let conflict = |reason, text: &str| Error::new(ErrorKind::Conflict, reason, text);
    match state {
        EmergencyState::Pending | EmergencyState::Granted => {
            conflict("already_granted", "this request has the approvals that it needs: `deny` takes it back")
        }
        EmergencyState::Revealed => conflict("request_over", "the secret was revealed, which happens once: make a new request"),
        EmergencyState::Denied => conflict("request_over", "this request was denied: make a new one if it is still needed"),
        EmergencyState::Cancelled => conflict("request_over", "this request was cancelled: make a new one if it is still needed"),
        EmergencyState::Expired => {
            conflict("request_over", "the time of this request is over: make a new one if it is still needed")
        }
    }
}
