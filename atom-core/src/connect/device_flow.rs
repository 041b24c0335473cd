//! Connect with a code that the user types elsewhere (RFC 8628). The state is in the database, so that any process may poll.

use super::methods::{self, Ask, Poll, Way};
use super::{
    ConnectFlow, Connections, DeviceAuthorization, DevicePoll, DeviceState, StartDevice, keep, registered, start, store,
};
use crate::crypto::Place;
use crate::providers::{Facts, How};
use crate::{DeviceFlowId, Error, ErrorKind, Result, Secret, WorkspaceId, WorkspaceProviderId};
use chrono::TimeDelta;
use serde::{Deserialize, Serialize};
use std::sync::Arc;
use zeroize::Zeroizing;

/// How much slower to poll when the provider asks for it (§3.5).
const SLOWER: i64 = 5;
/// How long a poll may take, with all that follows when the user has agreed: no other begins meanwhile.
const POLLING: TimeDelta = TimeDelta::seconds(40);

/// What is polled with, as it is sealed.
#[derive(Serialize, Deserialize)]
struct Code {
    device_code: String,
    scopes: Vec<String>,
    /// What was said about the account.
    #[serde(default)]
    inputs: Facts,
    /// Which of the workspace's providers it is, and as of when.
    #[serde(default)]
    registration: Option<(WorkspaceProviderId, i64)>,
}

fn place(workspace: WorkspaceId, row: &[u8]) -> Place<'_> {
    Place { workspace, table: "atom_device_flows", row, field: "sealed", version: 1 }
}

pub(super) async fn start(connections: &Connections, request: StartDevice) -> Result<DeviceAuthorization> {
    let (inner, principal) = (&connections.inner, &connections.principal);
    let app = registered::find(inner, principal.workspace_id, &request.provider).await?;
    let way = Way::choose(&app, request.method.as_deref(), ConnectFlow::Device)?;
    let Some(How::Device(device)) = way.entry.map(|entry| &entry.how) else { return Err(way.how.other_flow()) };
    let usual = device.scopes.as_ref().filter(|_| request.services.is_none() && request.scopes.is_none());
    let scopes = match usual {
        Some(scopes) => scopes.clone(),
        None => start::scopes(&app.manifest, request.services.as_deref(), request.scopes.as_deref())?,
    };
    let inputs = methods::inputs(&app, request.inputs.unwrap_or_default())?;
    start::count(inner, principal).await?;
    let begun = device.begin(Ask { inner, app: &app, facts: &inputs }, &scopes).await?;

    let (db, now, id) = (inner.db()?, inner.now(), DeviceFlowId::generate());
    let code = Code { device_code: begun.device_code.expose().to_owned(), scopes, inputs, registration: app.registration() };
    let plain = serde_json::to_vec(&code).map(Zeroizing::new);
    let plain = plain.map_err(|e| Error::internal("device_flow", "a device code cannot be serialized").with_source(e))?;
    let sealed = inner.keys.seal_record(db, &place(principal.workspace_id, id.0.as_bytes()), &plain).await?;
    let (poll_at, expires_at) = (now + TimeDelta::seconds(begun.interval), now + TimeDelta::seconds(begun.lifetime));
    let flow = store::DeviceFlow {
        id: id.0,
        provider: app.manifest.name.clone(),
        method: way.name.to_owned(),
        sealed,
        interval_seconds: begun.interval,
        poll_at: poll_at.into(),
        expires_at: expires_at.into(),
        state: PENDING.into(),
        connection_id: None,
    };
    store::insert_device_flow(db, principal, &flow, now).await?;
    Ok(DeviceAuthorization {
        id,
        user_code: begun.user_code,
        verification_url: begun.verification_url,
        verification_url_complete: begun.verification_url_complete,
        expires_at: flow.expires_at.0,
        poll_at: flow.poll_at.0,
        interval_seconds: begun.interval,
    })
}

const PENDING: &str = "pending";

fn pending(flow: &store::DeviceFlow) -> DevicePoll {
    DevicePoll { state: DeviceState::Pending, connection_id: None, poll_at: Some(flow.poll_at.0) }
}

fn ended(state: &str) -> Error {
    match state {
        "declined" => {
            Error::new(ErrorKind::Cancelled, "consent_declined", "the user declined: ask again when they want to connect")
        }
        _ => Error::invalid("device_code_expired", "the code has expired: start again"),
    }
}

pub(super) async fn poll(connections: &Connections, id: DeviceFlowId) -> Result<DevicePoll> {
    let (inner, principal) = (&connections.inner, &connections.principal);
    let (db, now) = (inner.db()?, inner.now());
    let flow = store::device_flow(db, principal, id).await?.ok_or_else(|| Error::not_found("device flow"))?;
    if let Some(connection) = flow.connection_id {
        return Ok(DevicePoll {
            state: DeviceState::Connected,
            connection_id: Some(crate::ConnectionId(connection)),
            poll_at: None,
        });
    }
    if flow.state != PENDING || flow.expires_at.0 <= now {
        return Err(ended(&flow.state).with_provider(&flow.provider));
    }
    let next = now + TimeDelta::seconds(flow.interval_seconds) + POLLING;
    // One poll per interval, whoever asks in whichever process.
    if flow.poll_at.0 > now || !store::claim_poll(db, principal, &flow, next.into()).await? {
        return Ok(pending(&flow));
    }
    let connections = connections.clone();
    // A code works once: a caller that goes away must not lose what it gives.
    let asking = tokio::spawn(async move { ask(&connections, flow).await });
    asking.await.map_err(|e| Error::internal("connect_lost", "polling ended without a result").with_source(e))?
}

async fn ask(connections: &Connections, mut flow: store::DeviceFlow) -> Result<DevicePoll> {
    let (inner, principal) = (&connections.inner, &connections.principal);
    let db = inner.db()?;
    let plain = inner.keys.open_record(db, &place(principal.workspace_id, flow.id.as_bytes()), &flow.sealed).await?;
    let damaged = |_| Error::sealed("device_flow_damaged", "a stored device code is malformed: start again");
    let code: Code = serde_json::from_slice(&plain).map_err(damaged)?;
    let app = registered::begun(inner, principal.workspace_id, &flow.provider, code.registration).await?;
    let device_code: Secret = code.device_code.into();
    match methods::poll(Ask { inner, app: &app, facts: &code.inputs }, &device_code, &code.scopes).await {
        Ok(Poll::Granted(granted)) => {
            let kept = keep::Kept { method: &flow.method, account_id: None, device_flow: Some(flow.id) };
            let connection = keep::run(connections, &Arc::clone(&app), kept, granted.knowing(&code.inputs)).await?;
            Ok(DevicePoll { state: DeviceState::Connected, connection_id: Some(connection.id), poll_at: None })
        }
        Ok(Poll::Ended(error)) => {
            let state = if error.kind() == ErrorKind::Cancelled { "declined" } else { "expired" };
            store::end_device_flow(db, principal, &flow, state).await?;
            Err(error.with_provider(&flow.provider))
        }
        Ok(Poll::Pending { slow_down }) => {
            flow.interval_seconds += if slow_down { SLOWER } else { 0 };
            again(connections, flow).await.map(|flow| pending(&flow))
        }
        Err(error) => {
            again(connections, flow).await?;
            Err(error)
        }
    }
}

/// Lets the next poll begin after the interval.
async fn again(connections: &Connections, mut flow: store::DeviceFlow) -> Result<store::DeviceFlow> {
    flow.poll_at = (connections.inner.now() + TimeDelta::seconds(flow.interval_seconds)).into();
    store::put_off_poll(connections.inner.db()?, &connections.principal, &flow).await?;
    Ok(flow)
}
