//! Taking jobs and starting them.

use super::acks::Finished;
use super::buffer::Buffer;
use super::{Crew, Phase, attempt};
use crate::Result;
use crate::jobs::claim::{self, Got, Turn, Want};
use crate::jobs::store::{self, Claimed};
use crate::storage::Topic;
use chrono::{DateTime, Utc};
use std::pin::Pin;
use std::sync::Arc;
use std::sync::atomic::Ordering;
use std::time::Duration;
use tokio::sync::mpsc;
use tokio::time::Instant;

/// Jobs are fetched in advance as long as what was fetched is done in less than this; the other workspaces wait no longer than that.
const AHEAD: Duration = Duration::from_millis(8);
/// When no job was started in this time, those that were fetched in advance go to workers that have room.
const HELD_UP: Duration = Duration::from_millis(100);
/// How many outcomes may wait to be stored before no more jobs are taken.
const UNSTORED: usize = 10_000;

/// How long the next due time of delayed jobs is taken on trust while there is no time to look.
const TRUST: Duration = Duration::from_millis(100);

/// The turns in each queue, and which queue is first.
struct Turns {
    queues: Vec<Turn>,
    first: usize,
    /// The queue that gave jobs last.
    hot: Option<usize>,
    /// When a delayed job is due next, if one is, and when that was read.
    due: Option<(Instant, Option<DateTime<Utc>>)>,
}

/// What is looked for.
struct Wanted {
    /// How many jobs at most.
    room: usize,
    /// How many can start at once.
    free: usize,
    /// Whether to take a job where the last one came from before the look.
    guess: bool,
    /// Whether somebody said that there is something new.
    is_news: bool,
}

/// What a look at the queues found. The jobs are handed over as soon as they are there.
struct Found {
    jobs: usize,
    /// When something will be there that is not there yet.
    next: Option<DateTime<Utc>>,
    /// Whether all that was wanted was found, so that there may be more.
    is_full: bool,
}

type Finds = mpsc::UnboundedSender<Vec<Claimed>>;
type Look = Pin<Box<dyn Future<Output = (Turns, Result<Found>)> + Send>>;

pub(super) async fn run(crew: Arc<Crew>) {
    let Ok(db) = crew.inner.db() else { return };
    let mut wakes = db.subscribe(Topic::Jobs);
    let mut phase = crew.phase.subscribe();
    let concurrency = usize::try_from(crew.settings.concurrency).unwrap_or(1);
    let mut buffer = Buffer::default();
    let mut turns =
        Some(Turns { queues: crew.settings.queues.iter().map(|_| Turn::default()).collect(), first: 0, hot: None, due: None });
    let (find, mut finds) = mpsc::unbounded_channel();
    let mut look: Option<Look> = None;
    let (mut ahead, mut wanted) = (0_usize, 0_usize);
    // How many attempts were started, and how many had ended at the last look.
    let (mut started, mut ended, mut since) = (0_usize, 0_usize, Instant::now());
    // When a job was fetched or started last.
    let mut moved = Instant::now();
    // Whether there may be something to take, and when to look again if there is not.
    let (mut due, mut next) = (true, Instant::now());
    // Whether somebody said that there is, and whether the last look left nothing behind.
    let (mut woken, mut drained) = (false, false);
    while crew.phase() == Phase::Working {
        let dispatched = dispatch(&crew, &mut buffer, concurrency);
        if dispatched > 0 {
            (started, moved) = (started + dispatched, Instant::now());
        }
        let room = (concurrency.saturating_sub(crew.running()) + ahead).saturating_sub(buffer.len());
        let low = buffer.len() <= ahead / 2 && room > 0 && crew.unstored.load(Ordering::Relaxed) < UNSTORED;
        if due
            && low
            && let Some(state) = turns.take()
        {
            // Somebody may have jobs who had none: what was seen of the workspaces is no longer all.
            woken |= wakes.has_changed().unwrap_or(true);
            wakes.mark_unchanged();
            (due, wanted) = (false, room);
            let busy = crew.running() + buffer.len();
            let want =
                Wanted { room, free: concurrency.saturating_sub(busy), guess: woken && drained && busy == 0, is_news: woken };
            woken = false;
            look = Some(Box::pin(look_around(Arc::clone(&crew), state, find.clone(), want)));
        }
        tokio::select! {
            biased;
            _ = phase.changed() => {}
            Some(jobs) = finds.recv() => {
                moved = Instant::now();
                jobs.into_iter().for_each(|job| buffer.push(job));
            }
            (state, found) = async { match look.as_mut() { Some(look) => look.await, None => std::future::pending().await } } => {
                (turns, look) = (Some(state), None);
                match found {
                    Ok(found) => {
                        let now = Instant::now();
                        // Not how many were started: those that fill the first places say nothing about how long they take.
                        let done = started.saturating_sub(crew.running());
                        let pace = pace(done.saturating_sub(ended), now - since, crew.settings.prefetch);
                        ahead = if found.jobs >= wanted { pace } else { pace.min(found.jobs) };
                        (ended, since) = (done, now);
                        (due, drained) = (due || found.is_full, !found.is_full);
                        let wait = found.next.and_then(|at| (at - crew.inner.now()).to_std().ok().or(Some(Duration::ZERO)));
                        next = now + wait.unwrap_or(crew.settings.poll).min(crew.settings.poll);
                    }
                    Err(error) => {
                        tracing::warn!(%error, reason = error.reason(), "jobs cannot be taken; trying again");
                        next = Instant::now() + crew.settings.poll.min(Duration::from_millis(500));
                    }
                }
            }
            () = crew.freed.notified() => {}
            _ = wakes.changed(), if !due => (due, woken) = (true, true),
            () = tokio::time::sleep_until(moved + HELD_UP), if buffer.len() > 0 => {
                ahead = 0;
                buffer.take().iter().for_each(|job| give_back(&crew, job));
            }
            () = tokio::time::sleep_until(next), if !due && look.is_none() => due = true,
        }
    }
    // What a look under way takes is given back, too.
    if let Some(look) = look {
        drop(look.await);
    }
    while let Ok(jobs) = finds.try_recv() {
        jobs.into_iter().for_each(|job| buffer.push(job));
    }
    buffer.take().iter().for_each(|job| give_back(&crew, job));
}

/// Stores that a job was not started after all.
fn give_back(crew: &Crew, job: &Claimed) {
    crew.unstored.fetch_add(1, Ordering::Relaxed);
    // Nobody listens only after the worker has stopped.
    let _ = crew.finished.send(Some(Finished::unstarted(job)));
}

/// How many jobs to fetch in advance: what ends in [`AHEAD`], at the pace of so many in this time.
fn pace(ended: usize, lasted: Duration, most: usize) -> usize {
    let lasted = lasted.max(Duration::from_micros(100));
    #[allow(clippy::cast_possible_truncation, clippy::cast_sign_loss, clippy::cast_precision_loss)] // a small number of jobs
    let ahead = (ended as f64 * AHEAD.as_secs_f64() / lasted.as_secs_f64()) as usize;
    ahead.min(most)
}

/// Starts what there is room for, and returns how many that were. What was taken under a lease that has ended is forgotten: others have it
/// by now.
fn dispatch(crew: &Arc<Crew>, buffer: &mut Buffer, concurrency: usize) -> usize {
    let room = concurrency.saturating_sub(crew.running());
    let (mut started, mut late) = (0, 0);
    while started < room
        && let Some(job) = buffer.pop()
    {
        let lease = crew.lease();
        // The worker may have found out already, and go on as another.
        if job.owner != lease.id || std::time::Instant::now() >= lease.until {
            super::lock(&crew.held).remove(&(job.id, job.fence));
            late += 1;
        } else if job.start_by.is_some_and(|by| std::time::Instant::now() > by) {
            give_back(crew, &job);
        } else {
            attempt::start(crew, job);
            started += 1;
        }
    }
    if late > 0 {
        tracing::warn!(jobs = late, "the worker could not prolong its lease in time: its jobs go to others");
    }
    started
}

/// Looks at all queues until it has found enough, or has seen everything.
async fn look_around(crew: Arc<Crew>, mut turns: Turns, find: Finds, wanted: Wanted) -> (Turns, Result<Found>) {
    let found = look(&crew, &mut turns, &find, wanted).await;
    (turns, found)
}

async fn look(crew: &Crew, turns: &mut Turns, find: &Finds, Wanted { room, free, guess, is_news }: Wanted) -> Result<Found> {
    let (db, now) = (crew.inner.db()?, crew.inner.now());
    let mut found = Found { jobs: 0, next: None, is_full: false };
    if is_news {
        turns.queues.iter_mut().for_each(Turn::forget);
    }
    let want = |queue: usize, found: usize| Want {
        worker: crew.lease().id,
        queue: &crew.settings.queues[queue],
        kinds: &crew.settings.kinds,
        count: i64::try_from(room - found).unwrap_or(i64::MAX),
        limited: i64::try_from(free.saturating_sub(found)).unwrap_or(i64::MAX),
        now,
    };
    // They start while the rest is looked for. Whoever looks lives as long as the look.
    let hand_over = |jobs: Vec<Claimed>| {
        if jobs.is_empty() {
            return;
        }
        super::lock(&crew.held).extend(jobs.iter().map(|job| (job.id, job.fence)));
        let _ = find.send(jobs);
    };
    if let Some(queue) = turns.hot.filter(|_| guess) {
        let jobs = claim::guess(&crew.inner, want(queue, 0), &turns.queues[queue]).await?;
        found.jobs = jobs.len();
        hand_over(jobs);
    }
    if turns.due.is_none_or(|(_, due)| due.is_some_and(|due| due <= now)) {
        while store::promote_if_due(db, now).await? {}
    }
    let queues = crew.settings.queues.len();
    for i in 0..queues {
        let queue = (turns.first + i) % queues;
        let mut rounds = 0;
        while found.jobs < room && rounds < 2 {
            let Got { jobs, more, is_round, opens_at } =
                match claim::claim(&crew.inner, want(queue, found.jobs), &mut turns.queues[queue]).await {
                    Ok(got) => got,
                    Err(error) if found.jobs == 0 => return Err(error),
                    // What was taken before is ours.
                    Err(_) => return Ok(found),
                };
            found.next = [found.next, opens_at].into_iter().flatten().min();
            if jobs.is_empty() {
                rounds += i32::from(is_round);
                if !more {
                    break;
                }
                continue;
            }
            found.jobs += jobs.len();
            turns.hot = Some(queue);
            hand_over(jobs);
        }
    }
    turns.first = (turns.first + 1) % queues.max(1);
    found.is_full = found.jobs >= room;
    if (!found.is_full || turns.due.is_none_or(|(read, _)| read.elapsed() > TRUST))
        && let Ok(due) = store::next_due(db).await
    {
        turns.due = Some((Instant::now(), due));
        found.next = [found.next, due].into_iter().flatten().min();
    }
    Ok(found)
}
