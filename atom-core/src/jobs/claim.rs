//! Which jobs a worker takes: workspaces take turns, and so do the keys of limits within a workspace.

use super::rate::{Rate, Starts};
use super::store::{self, Claimed, Place, Share};
use crate::Result;
use crate::storage::{Db, Tx};
use chrono::{DateTime, Utc};
use uuid::Uuid;

/// Whose turn it is in a queue.
#[derive(Default)]
pub(super) struct Turn {
    /// The workspace that was served last.
    last: Uuid,
    /// Where the next page of workspaces begins. With few workspaces every page is the first.
    from: Uuid,
    /// Where the next look at the keys of limits begins.
    lane: i64,
}

/// What a worker wants.
#[derive(Clone, Copy)]
pub(super) struct Want<'a> {
    pub(super) worker: Uuid,
    pub(super) queue: &'a str,
    pub(super) kinds: &'a [String],
    /// How many jobs at most.
    pub(super) count: i64,
    /// How many of these may have a limit: those must start at once, or their limit would be used up while they wait here.
    pub(super) limited: i64,
    pub(super) now: DateTime<Utc>,
}

/// What a worker got.
#[derive(Default)]
pub(super) struct Got {
    pub(super) jobs: Vec<Claimed>,
    /// Whether there are places that this look did not reach.
    pub(super) more: bool,
    /// Whether it reached the last place.
    pub(super) is_round: bool,
    /// When a limit lets the next job start.
    pub(super) opens_at: Option<DateTime<Utc>>,
}

/// Takes jobs of a queue.
pub(super) async fn claim(db: &Db, want: Want<'_>, turn: &mut Turn) -> Result<Got> {
    let mut got = Got::default();
    let page = store::workspaces(db, want.queue, turn.from).await?;
    let full = i64::try_from(page.len()).unwrap_or(i64::MAX) >= store::PAGE;
    let started_late = !turn.from.is_nil();
    turn.from = if full { page.last().map_or_else(Uuid::nil, |place| after(place.id)) } else { Uuid::nil() };
    if page.is_empty() {
        got.more = started_late;
        got.is_round = true;
        return Ok(got);
    }
    let page = rotate(page, turn.last);
    let mut tx = db.begin().await?;
    let mut plan = Plan::default();
    let mut left = want.count;
    let mut limited_left = want.limited;
    for (place, count) in page.iter().zip(divide(want.count, page.len())) {
        let count = count.min(left);
        if count == 0 {
            break;
        }
        turn.last = place.id;
        let mut taken = 0;
        if place.limited && limited_left > 0 {
            let (lanes, more) = lanes_in_turn(db, want.queue, place.id, turn).await?;
            got.more |= more;
            let of = (place.id, count.min(limited_left));
            taken = limited_shares(&mut tx, want, of, &lanes, (turn, &mut plan, &mut got)).await?;
            limited_left -= taken;
        }
        if place.plain && count > taken {
            plan.shares.push(Share { workspace: place.id, lane: 0, count: count - taken });
        }
        left -= count;
    }
    got.more |= full || started_late;
    got.is_round = !full;
    if plan.shares.is_empty() {
        return Ok(got);
    }
    got.jobs = store::claim(&mut tx, want.worker, want.queue, want.kinds, &plan.shares, want.now).await?;
    note(&mut tx, want.now, plan, &mut got).await?;
    tx.commit().await?;
    Ok(got)
}

/// The next id.
fn after(id: Uuid) -> Uuid {
    Uuid::from_u128(id.as_u128().saturating_add(1))
}

/// Starts with the workspace after the one that was served last.
fn rotate(mut page: Vec<Place>, last: Uuid) -> Vec<Place> {
    let first = page.iter().position(|place| place.id > last).unwrap_or(0);
    page.rotate_left(first);
    page
}

/// Divides so many jobs evenly; what is left over goes to those whose turn is first.
fn divide(count: i64, among: usize) -> impl Iterator<Item = i64> {
    let among = i64::try_from(among).unwrap_or(i64::MAX).max(1);
    (0..among).map(move |i| count / among + i64::from(i < count % among))
}

/// The keys of limits that have jobs waiting, the one whose turn it is first. Says whether there are more.
async fn lanes_in_turn(db: &Db, queue: &str, workspace: Uuid, turn: &Turn) -> Result<(Vec<i64>, bool)> {
    let mut lanes = store::lanes(db, queue, workspace, turn.lane).await?;
    if i64::try_from(lanes.len()).unwrap_or(i64::MAX) >= store::PAGE {
        return Ok((lanes, true));
    }
    let first = store::lanes(db, queue, workspace, 1).await?;
    lanes.extend(first.into_iter().filter(|lane| *lane < turn.lane));
    Ok((lanes, false))
}

/// Adds the shares of the keys of limits that let jobs start. Returns how many jobs these are.
async fn limited_shares(
    tx: &mut Tx,
    want: Want<'_>,
    (workspace, count): (Uuid, i64),
    lanes: &[i64],
    (turn, plan, got): (&mut Turn, &mut Plan, &mut Got),
) -> Result<i64> {
    let limits = store::limits(tx, workspace, lanes).await?;
    let mut taken = 0;
    for (lane, share) in lanes.iter().zip(divide(count, lanes.len()).map(|share| share.max(1))) {
        // A limit that is not there is in the hands of another worker.
        let Some(limit) = limits.iter().find(|limit| limit.lane == *lane) else { continue };
        if taken >= count {
            turn.lane = *lane;
            break;
        }
        let mut free = share.min(count - taken);
        if let Some(max) = limit.max_running {
            free = free.min(i64::from(max) - limit.running);
        }
        let rate = limit.max_starts.zip(limit.per_ms).map(|(max, per_ms)| Rate { max: i64::from(max), per: per_ms * 1000 });
        let mut starts = limit.starts.0.clone();
        if let Some(rate) = rate {
            free = free.min(starts.free(rate, want.now.timestamp_micros()));
            let opens_at = starts.opens_at(rate, want.now.timestamp_micros()).and_then(DateTime::from_timestamp_micros);
            got.opens_at = [got.opens_at, opens_at].into_iter().flatten().min();
        }
        if free > 0 {
            taken += free;
            plan.shares.push(Share { workspace, lane: *lane, count: free });
            plan.rates.extend(rate.map(|rate| (workspace, *lane, rate, starts)));
        }
        turn.lane = lane + 1;
    }
    Ok(taken)
}

/// What is to be taken, and the rates to note it under.
#[derive(Default)]
struct Plan {
    shares: Vec<Share>,
    rates: Vec<(Uuid, i64, Rate, Starts)>,
}

/// Notes the starts under limits.
async fn note(tx: &mut Tx, now: DateTime<Utc>, plan: Plan, got: &mut Got) -> Result<()> {
    let micros = now.timestamp_micros();
    for (workspace, lane, rate, mut starts) in plan.rates {
        let count = got.jobs.iter().filter(|job| job.workspace.0 == workspace && job.lane == lane).count();
        if count > 0 {
            starts.note(rate, micros, i64::try_from(count).unwrap_or(i64::MAX));
            store::note_starts(tx, workspace, lane, &starts).await?;
        }
        let opens_at = starts.opens_at(rate, micros).and_then(DateTime::from_timestamp_micros);
        got.opens_at = [got.opens_at, opens_at].into_iter().flatten().min();
    }
    Ok(())
}
