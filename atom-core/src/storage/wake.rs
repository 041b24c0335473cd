//! Telling those who wait that there is something new: in the process at once, in other processes over `NOTIFY` or SQLite's
//! `data_version`.
//!
//! A wake may get lost (a process dies between its commit and the notification), so whoever waits also looks from time to time.

use super::db::Engine;
use sqlx::postgres::PgListener;
use sqlx::{PgPool, SqlitePool};
use std::sync::atomic::{AtomicU8, Ordering};
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;
use tokio::sync::watch;
use tokio::task::JoinHandle;

/// What may be new.
#[derive(Clone, Copy, PartialEq, Debug)]
pub(crate) enum Topic {
    /// A job can be run.
    Jobs = 1,
    /// An event was appended.
    Events = 2,
    /// A job has ended. Only this process is told: elsewhere they look.
    Ended = 4,
    /// Something that comes at its time was written: a schedule, a notice of a service key.
    Schedules = 8,
}

const ALL: [Topic; 4] = [Topic::Jobs, Topic::Events, Topic::Ended, Topic::Schedules];
/// The channel of `NOTIFY`.
pub(crate) const CHANNEL: &str = "atom_wake";
/// At most one notification goes out in this time: each takes a lock over the whole PostgreSQL server.
const SPACING: Duration = Duration::from_millis(5);
/// How often SQLite is asked whether another process has committed.
const GLANCE: Duration = Duration::from_millis(20);

#[derive(Clone)]
pub(crate) struct Wakes(Arc<Shared>);

struct Shared {
    jobs: watch::Sender<()>,
    events: watch::Sender<()>,
    ended: watch::Sender<()>,
    schedules: watch::Sender<()>,
    /// Topics that other processes have not been told of yet; the top bit says that somebody is telling them.
    untold: AtomicU8,
    /// Tells our own notifications from those of other processes.
    me: String,
    /// Who brings the news of other processes. It dies with its runtime, and is then started again.
    watcher: Mutex<Option<JoinHandle<()>>>,
}

const TELLING: u8 = 0x80;

/// Frees the place of whoever tells other processes, should its runtime end.
struct Telling<'a>(&'a Shared);

impl Drop for Telling<'_> {
    fn drop(&mut self) {
        self.0.untold.fetch_and(!TELLING, Ordering::AcqRel);
    }
}

impl Wakes {
    pub(super) fn new() -> Self {
        Self(Arc::new(Shared {
            jobs: watch::Sender::new(()),
            events: watch::Sender::new(()),
            ended: watch::Sender::new(()),
            schedules: watch::Sender::new(()),
            untold: AtomicU8::new(0),
            me: uuid::Uuid::now_v7().simple().to_string(),
            watcher: Mutex::default(),
        }))
    }

    fn sender(&self, topic: Topic) -> &watch::Sender<()> {
        match topic {
            Topic::Jobs => &self.0.jobs,
            Topic::Events => &self.0.events,
            Topic::Ended => &self.0.ended,
            Topic::Schedules => &self.0.schedules,
        }
    }

    /// Wakes whoever waits in this process.
    pub(crate) fn wake(&self, topics: u8) {
        for topic in ALL {
            if topics & topic as u8 != 0 {
                self.sender(topic).send_replace(());
            }
        }
    }

    /// Wakes whoever waits in any process.
    pub(super) fn announce(&self, engine: &Engine, topics: u8) {
        self.wake(topics);
        let topics = topics & !(Topic::Ended as u8);
        let Engine::Pg(pool) = engine else { return };
        if topics != 0 && self.0.untold.fetch_or(topics | TELLING, Ordering::AcqRel) & TELLING == 0 {
            tokio::spawn(self.clone().tell(pool.clone()));
        }
    }

    async fn tell(self, pool: PgPool) {
        let telling = Telling(&self.0);
        loop {
            let topics = self.0.untold.swap(TELLING, Ordering::AcqRel) & !TELLING;
            if topics == 0 && self.0.untold.compare_exchange(TELLING, 0, Ordering::AcqRel, Ordering::Acquire).is_ok() {
                std::mem::forget(telling);
                return;
            }
            if topics != 0 {
                let payload = format!("{topics}:{}", self.0.me);
                let told = sqlx::query("SELECT pg_notify($1, $2)").bind(CHANNEL).bind(payload).execute(&pool).await;
                if let Err(error) = told {
                    tracing::debug!(%error, "other processes were not notified; they will look by themselves");
                }
                tokio::time::sleep(SPACING).await;
            }
        }
    }

    /// A receiver that changes when there may be something new, in this process or another.
    pub(super) fn subscribe(&self, engine: &Engine, topic: Topic) -> watch::Receiver<()> {
        let mut watcher = self.0.watcher.lock().unwrap_or_else(PoisonError::into_inner);
        let receiver = self.sender(topic).subscribe();
        if watcher.as_ref().is_none_or(JoinHandle::is_finished) {
            let wakes = self.clone();
            *watcher = Some(match engine {
                Engine::Sqlite(pools) => tokio::spawn(wakes.glance(pools.read.clone())),
                Engine::Pg(pool) => tokio::spawn(wakes.listen(pool.clone())),
            });
        }
        receiver
    }

    /// Whether anybody still waits. The answer no ends the watcher, so nobody may subscribe meanwhile.
    fn is_watched(&self) -> bool {
        let mut watcher = self.0.watcher.lock().unwrap_or_else(PoisonError::into_inner);
        let watched = ALL.iter().any(|topic| self.sender(*topic).receiver_count() > 0);
        if !watched {
            *watcher = None;
        }
        watched
    }

    /// SQLite counts the commits of all other connections: https://sqlite.org/pragma.html#pragma_data_version
    async fn glance(self, pool: SqlitePool) {
        let Ok(mut connection) = pool.acquire().await else { return };
        let mut known = None;
        while self.is_watched() && !pool.is_closed() {
            match sqlx::query_as::<_, (i64,)>("PRAGMA data_version").fetch_one(&mut *connection).await {
                Ok((version,)) if known != Some(version) => {
                    if known.replace(version).is_some() {
                        self.wake(u8::MAX);
                    }
                }
                Ok(_) => {}
                Err(error) => {
                    tracing::debug!(%error, "the database could not be asked for news");
                    return;
                }
            }
            tokio::select! {
                () = tokio::time::sleep(GLANCE) => {}
                () = pool.close_event() => return,
            }
        }
    }

    async fn listen(self, pool: PgPool) {
        while self.is_watched() && !pool.is_closed() {
            if let Err(error) = self.follow(&pool).await {
                tracing::debug!(%error, "notifications of other processes do not arrive; trying again");
            }
            tokio::select! {
                () = tokio::time::sleep(Duration::from_millis(500)) => {}
                () = pool.close_event() => return,
            }
        }
    }

    async fn follow(&self, pool: &PgPool) -> sqlx::Result<()> {
        let mut listener = PgListener::connect_with(pool).await?;
        listener.listen(CHANNEL).await?;
        // What was announced before this connection was listening is not announced again.
        self.wake(u8::MAX);
        while self.is_watched() {
            let Some(notification) = listener.try_recv().await? else {
                self.wake(u8::MAX);
                continue;
            };
            match notification.payload().split_once(':') {
                Some((_, from)) if from == self.0.me => {}
                Some((topics, _)) => self.wake(topics.parse().unwrap_or(u8::MAX)),
                None => self.wake(u8::MAX),
            }
        }
        Ok(())
    }
}
