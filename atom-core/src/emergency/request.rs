//! Asking for a secret.

use super::store::{self, RequestRow};
use super::{EmergencyAccess, EmergencyRequest, EmergencyState, NewEmergencyAccess, WAITS, place, rights};
use crate::accounts::Role;
use crate::audit::AuditAction;
use crate::connect::Connection;
use crate::events::{self, EmergencyRequested};
use crate::storage::{Timestamp, Topic, once};
use crate::vault::{DEFAULT, service_keys};
use crate::{ConnectionId, EmergencyRequestId, Error, Result, ServiceKeyId, UserId};
use chrono::TimeDelta;
use std::ops::RangeInclusive;

const REASON: RangeInclusive<usize> = 10..=500;
const MINUTES: RangeInclusive<i32> = 5..=60;
const DEFAULT_MINUTES: i32 = 30;
const LONGEST_SET: usize = 100;
/// How many requests somebody makes in how long, lest approvers grow used to them.
const MOST: (i64, TimeDelta) = (20, TimeDelta::days(1));

/// What is asked for, and whose it is.
struct Target {
    connection: Option<(ConnectionId, String)>,
    service_key: Option<ServiceKeyId>,
    owner: Option<UserId>,
}

pub(super) async fn run(access: &EmergencyAccess, request: NewEmergencyAccess) -> Result<EmergencyRequest> {
    let (inner, principal, now) = (&access.inner, &access.principal, access.inner.now());
    let (workspace, requester) = (principal.workspace_id, principal.user_id);
    let reason = check_reason(&request.reason)?.to_owned();
    let minutes = check_minutes(request.minutes)?;
    let target = target(access, request).await?;
    once::bump_counter(inner.db()?, &format!("emergency/{workspace}/{requester}"), MOST.0, MOST.1, now).await?;
    let id = EmergencyRequestId::generate();
    let sealed = inner.keys.seal_record(inner.db()?, &place(workspace, &id), reason.as_bytes()).await?;
    let row = RequestRow {
        workspace_id: workspace.0,
        id: id.0,
        requester_id: requester.0,
        connection_id: target.connection.as_ref().map(|(id, _)| id.0),
        token_set: target.connection.as_ref().map(|(_, set)| set.clone()),
        service_key_id: target.service_key.map(|id| id.0),
        user_id: target.owner.map(|id| id.0),
        reason: sealed,
        minutes,
        state: EmergencyState::Pending.as_str().to_owned(),
        requested_at: Timestamp::from(now),
        expires_at: Timestamp::from(now + WAITS),
        granted_at: None,
        ended_at: None,
    };
    let mut tx = inner.db()?.begin_durable().await?;
    rights::check_requester(&mut tx, principal, target.owner).await?;
    store::insert(&mut tx, &row).await?;
    tx.wakes(Topic::Schedules);
    let subject = match (&target.connection, target.service_key) {
        (Some((id, set)), _) => [("connection", id.to_string()), ("token_set", set.clone())].to_vec(),
        (None, id) => [("service_key", id.map(|id| id.to_string()).unwrap_or_default())].to_vec(),
    };
    let numbers = [("minutes", minutes.to_string()), ("reason_characters", reason.chars().count().to_string())];
    let details: Vec<_> = subject.iter().chain(&numbers).map(|(name, value)| (*name, value.as_str())).collect();
    access.log(&mut tx, AuditAction::EmergencyRequested, Some(id), &details, now).await?;
    let requested = EmergencyRequested {
        request_id: id,
        requester_id: requester,
        connection_id: target.connection.map(|(id, _)| id),
        service_key_id: target.service_key,
        user_id: target.owner,
        minutes: minutes.into(),
        expires_at: row.expires_at.0,
    };
    events::append(&mut tx, workspace, requested, now).await?;
    tx.commit().await?;
    access.shown(&row).await
}

/// What is there to be asked for, and may be by this principal.
async fn target(access: &EmergencyAccess, request: NewEmergencyAccess) -> Result<Target> {
    let workspace = access.principal.workspace_id;
    match (request.connection_id, request.service_key_id) {
        (Some(id), None) => {
            let set = check_set(request.token_set)?;
            let (connection, owner) = Connection::of_owner(&access.inner, workspace, id).await?;
            check_visible(access, Some(owner), "connection")?;
            connection.check_releasable(&set).await?;
            Ok(Target { connection: Some((id, set)), service_key: None, owner: Some(owner) })
        }
        (None, Some(id)) if request.token_set.is_none() => {
            let owner = service_keys::owner(&access.inner, workspace, id).await?;
            check_visible(access, owner, "service key")?;
            Ok(Target { connection: None, service_key: Some(id), owner })
        }
        _ => {
            let text = "name one secret: a `connection_id`, perhaps with a `token_set`, or a `service_key_id`";
            Err(Error::invalid("malformed_target", text))
        }
    }
}

/// Refuses whoever may not know of a secret, before anything else is said of it.
fn check_visible(access: &EmergencyAccess, owner: Option<UserId>, what: &str) -> Result<()> {
    let principal = &access.principal;
    if owner == Some(principal.user_id) || principal.is_admin() {
        return Ok(());
    }
    if owner.is_none() && principal.role == Role::Member {
        return principal.check_admin("ask for the secrets of the workspace");
    }
    Err(Error::not_found(what))
}

fn check_reason(reason: &str) -> Result<&str> {
    let reason = reason.trim();
    let length = reason.chars().count();
    if REASON.contains(&length) {
        return Ok(reason);
    }
    let text = format!("the reason has {length} characters: tell those who decide in 10 to 500 what it is needed for");
    Err(Error::invalid("malformed_reason", text))
}

fn check_minutes(minutes: Option<i32>) -> Result<i32> {
    let minutes = minutes.unwrap_or(DEFAULT_MINUTES);
    if MINUTES.contains(&minutes) {
        Ok(minutes)
    } else {
        Err(Error::invalid("malformed_minutes", "`minutes` is between 5 and 60"))
    }
}

/// The name stands on a line of the challenge.
fn check_set(set: Option<String>) -> Result<String> {
    let set = set.unwrap_or_else(|| DEFAULT.to_owned());
    if (1..=LONGEST_SET).contains(&set.len()) && !set.contains(char::is_control) {
        return Ok(set);
    }
    Err(Error::invalid("malformed_token_set", "a token set is named as the provider's manifest names it"))
}
