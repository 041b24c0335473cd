//! Which jobs a worker takes: workspaces take turns, and so do the keys of limits within a workspace.

use super::rate::{Rate, Starts};
use super::store::{self, Claimed, Place, Share};
use crate::Result;
use crate::atom::Inner;
use crate::storage::{Db, Tx};
use chrono::{DateTime, Utc};
use std::collections::HashMap;
use std::time::{Duration, Instant};
use uuid::Uuid;

/// Whose turn it is in a queue.
#[derive(Default)]
pub(super) struct Turn {
    /// The workspace that was served last.
    last: Option<Uuid>,
    /// Where the next page of workspaces begins. With few workspaces every page is the first.
    from: Uuid,
    /// Where the next look at the keys of limits begins, in each workspace.
    lanes: HashMap<Uuid, i64>,
    /// All workspaces that had jobs waiting a moment ago, and more of them than were wanted.
    known: Option<(Instant, Vec<Place>)>,
}

/// How long a look at the workspaces is good for while there is more to do than can be taken: a new one waits no longer than that.
const MOMENT: Duration = Duration::from_millis(10);

impl Turn {
    /// Looks at the workspaces anew.
    pub(super) fn forget(&mut self) {
        self.known = None;
    }
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

/// Takes a job where the last one came from, without a look at whose turn it is: an idle worker that was woken finds it one round trip
/// earlier, and looks then.
pub(super) async fn guess(inner: &Inner, want: Want<'_>, turn: &Turn) -> Result<Vec<Claimed>> {
    let Some(workspace) = turn.last else { return Ok(Vec::new()) };
    let share = Share { workspace, lane: 0, count: 1 };
    claim_once(inner.db()?, want, &[share]).await
}

/// Takes shares by one statement.
async fn claim_once(db: &Db, want: Want<'_>, shares: &[Share]) -> Result<Vec<Claimed>> {
    let mut single = db.single().await?;
    let jobs = store::claim(single.conn(), want.worker, want.queue, want.kinds, shares, want.now).await?;
    single.keep();
    Ok(jobs)
}

/// Takes jobs of a queue.
pub(super) async fn claim(inner: &Inner, want: Want<'_>, turn: &mut Turn) -> Result<Got> {
    let db = inner.db()?;
    let mut got = Got::default();
    let (looked, page, full, started_late) = match turn.known.take().filter(|(at, _)| at.elapsed() < MOMENT) {
        Some((looked, page)) => (looked, page, false, false),
        None => {
            let looked = Instant::now();
            let page = store::workspaces(db, want.queue, want.kinds, turn.from).await?;
            let full = i64::try_from(page.len()).unwrap_or(i64::MAX) >= store::PAGE;
            let started_late = !turn.from.is_nil();
            turn.from = if full { page.last().map_or_else(Uuid::nil, |place| after(place.id)) } else { Uuid::nil() };
            (looked, page, full, started_late)
        }
    };
    (got.more, got.is_round) = (full || started_late, !full);
    if page.is_empty() {
        return Ok(got);
    }
    let page = rotate(page, turn.last);
    if page.iter().any(Place::has_limited) {
        return limited(inner, want, &page, turn, got).await;
    }
    let shares = page.iter().zip(divide(want.count, page.len())).filter(|(_, count)| *count > 0);
    let shares: Vec<_> = shares.map(|(place, count)| Share { workspace: place.id, lane: 0, count }).collect();
    turn.last = shares.last().map(|share| share.workspace).or(turn.last);
    got.jobs = if shares.len() == 1 {
        claim_once(db, want, &shares).await?
    } else {
        let mut tx = db.begin().await?;
        let jobs = store::claim(tx.conn(), want.worker, want.queue, want.kinds, &shares, want.now).await?;
        tx.commit().await?;
        jobs
    };
    if !got.more && i64::try_from(got.jobs.len()).is_ok_and(|taken| taken >= want.count) {
        turn.known = Some((looked, page));
    }
    Ok(got)
}

/// Takes jobs where some have a limit: under the locks of their limits, in one transaction.
async fn limited(inner: &Inner, mut want: Want<'_>, page: &[Place], turn: &mut Turn, mut got: Got) -> Result<Got> {
    let db = inner.db()?;
    let mut tx = db.begin().await?;
    // On SQLite this may have waited for other processes, and starts under a rate count from now on.
    want.now = inner.now();
    let claimed_at = Instant::now();
    let mut plan = Plan::default();
    let mut left = want.count;
    let mut limited_left = want.limited;
    for (i, place) in page.iter().enumerate() {
        // What a workspace has no use for is divided among those after it.
        let Some(count) = divide(left, page.len() - i).next().filter(|count| *count > 0) else { break };
        turn.last = Some(place.id);
        let mut taken = 0;
        if place.has_limited() && limited_left > 0 {
            let (lanes, more) = lanes_in_turn(db, want, place.id, turn).await?;
            got.more |= more;
            if !lanes.is_empty() {
                let of = (place.id, count.min(limited_left));
                taken = limited_shares(&mut tx, want, of, &lanes, (turn, &mut plan)).await?;
                limited_left -= taken;
            }
        }
        if place.has_plain() && count > taken {
            plan.shares.push(Share { workspace: place.id, lane: 0, count: count - taken });
            taken = count;
        }
        left -= taken;
    }
    if plan.shares.is_empty() {
        drop(tx);
    } else {
        got.jobs = store::claim(tx.conn(), want.worker, want.queue, want.kinds, &plan.shares, want.now).await?;
        note(&mut tx, want.now, plan, &mut got.jobs, claimed_at).await?;
        tx.commit().await?;
    }
    // What was taken is ours, whether or not this can be read.
    if let Ok(opens_at) = store::next_opening(db, want.queue, want.now).await {
        got.opens_at = opens_at;
    }
    Ok(got)
}

/// The next id.
fn after(id: Uuid) -> Uuid {
    Uuid::from_u128(id.as_u128().saturating_add(1))
}

/// Starts with the workspace after the one that was served last.
fn rotate(mut page: Vec<Place>, last: Option<Uuid>) -> Vec<Place> {
    page.sort_by_key(|place| place.id);
    let first = page.iter().position(|place| Some(place.id) > last).unwrap_or(0);
    page.rotate_left(first);
    page
}

/// Divides so many jobs evenly; what is left over goes to those whose turn is first.
fn divide(count: i64, among: usize) -> impl Iterator<Item = i64> {
    let among = i64::try_from(among).unwrap_or(i64::MAX).max(1);
    (0..among).map(move |i| count / among + i64::from(i < count % among))
}

/// The keys of limits that let jobs start, the one whose turn it is first. Says whether there are more.
async fn lanes_in_turn(db: &Db, want: Want<'_>, workspace: Uuid, turn: &Turn) -> Result<(Vec<i64>, bool)> {
    let from = turn.lanes.get(&workspace).copied().unwrap_or(1);
    let mut lanes = store::lanes(db, want.queue, want.kinds, workspace, from, want.now).await?;
    if i64::try_from(lanes.len()).unwrap_or(i64::MAX) >= store::PAGE {
        return Ok((lanes, true));
    }
    if from > 1 {
        let first = store::lanes(db, want.queue, want.kinds, workspace, 1, want.now).await?;
        lanes.extend(first.into_iter().filter(|lane| *lane < from));
    }
    Ok((lanes, false))
}

/// Adds the shares of the keys of limits that let jobs start. Returns how many jobs these are.
async fn limited_shares(
    tx: &mut Tx,
    want: Want<'_>,
    (workspace, count): (Uuid, i64),
    lanes: &[i64],
    (turn, plan): (&mut Turn, &mut Plan),
) -> Result<i64> {
    let limits = store::limits(tx, workspace, lanes).await?;
    let mut taken = 0;
    for (lane, share) in lanes.iter().zip(divide(count, lanes.len()).map(|share| share.max(1))) {
        if taken >= count {
            turn.lanes.insert(workspace, *lane);
            break;
        }
        turn.lanes.insert(workspace, lane + 1);
        // A limit that is not there is in the hands of another worker.
        let Some(limit) = limits.iter().find(|limit| limit.lane == *lane) else { continue };
        let mut free = share.min(count - taken);
        if let Some(max) = limit.max_running {
            free = free.min(i64::from(max) - limit.running);
        }
        let rate = limit
            .max_starts
            .zip(limit.per_ms)
            .map(|(max, per_ms)| Rate { max: i64::from(max), per: per_ms * 1000 + slack(limit.per_ms) });
        let mut starts = limit.starts.0.clone();
        if let Some(rate) = rate {
            free = free.min(starts.free(rate, want.now.timestamp_micros()));
        }
        if free > 0 {
            taken += free;
            plan.shares.push(Share { workspace, lane: *lane, count: free });
            plan.rates.extend(rate.map(|rate| Rated { workspace, lane: *lane, rate, starts, slack: slack(limit.per_ms) }));
        }
    }
    Ok(taken)
}

/// How long, in microseconds, a job under a rate may take from its claim to its start. Starts count that much longer, so that a claim that was
/// carried out at once after one that was carried out late does not exceed the rate.
fn slack(per_ms: Option<i64>) -> i64 {
    (per_ms.unwrap_or_default() * 100).clamp(100_000, 5_000_000)
}

/// What is to be taken, and the rates to note it under.
#[derive(Default)]
struct Plan {
    shares: Vec<Share>,
    rates: Vec<Rated>,
}

/// A key whose starts are noted.
struct Rated {
    workspace: Uuid,
    lane: i64,
    rate: Rate,
    starts: Starts,
    slack: i64,
}

/// Notes the starts under limits.
async fn note(tx: &mut Tx, now: DateTime<Utc>, plan: Plan, jobs: &mut [Claimed], claimed_at: Instant) -> Result<()> {
    let micros = now.timestamp_micros();
    for Rated { workspace, lane, rate, mut starts, slack } in plan.rates {
        let start_by = claimed_at + Duration::from_micros(u64::try_from(slack).unwrap_or_default());
        let mut count = 0;
        for job in jobs.iter_mut().filter(|job| job.workspace.0 == workspace && job.lane == lane) {
            (job.start_by, count) = (Some(start_by), count + 1);
        }
        if count > 0 {
            starts.note(rate, micros, count);
            let opens_at = starts.opens_at(rate, micros).and_then(DateTime::from_timestamp_micros);
            store::note_starts(tx, workspace, lane, &starts, opens_at).await?;
        }
    }
    Ok(())
}
