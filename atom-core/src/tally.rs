//! Counting without waiting: what is counted stays in memory and is stored a moment later, with whatever else was counted meanwhile.
//!
//! What a killed process has counted in its last moment is lost; a clean stop stores it.

use crate::atom::Inner;
use crate::crypto::BoxFuture;
use crate::{Error, ErrorKind, Result, WorkspaceId};
use std::collections::BTreeMap;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;
use tokio::runtime::Handle;
use tokio::task::JoinHandle;

/// How long a count waits to be stored with others.
const PAUSE: Duration = Duration::from_secs(2);

/// Something that is counted.
pub(crate) trait Counted: Sized + Send + Sync + 'static {
    /// What it is counted of. In this order rows are locked: the same in every process.
    type Of: Ord + Send + Sync + 'static;
    /// Its name in the log.
    const NAME: &'static str;

    /// Where a process counts it.
    fn tally(inner: &Inner) -> &Tally<Self>;

    /// Adds what else was counted of the same.
    fn add(&mut self, more: Self);

    /// Stores what was counted in a workspace, in one transaction.
    fn store<'a>(inner: &'a Inner, workspace: WorkspaceId, counts: &'a Counts<Self>) -> BoxFuture<'a, Result<()>>;
}

/// What was counted in one workspace.
pub(crate) type Counts<C> = BTreeMap<<C as Counted>::Of, C>;

/// What a process has counted and not stored yet.
pub(crate) struct Tally<C: Counted> {
    open: Mutex<Open<C>>,
    /// Held while counts are stored: whoever gets it finds what was counted before stored.
    storing: tokio::sync::Mutex<()>,
}

struct Open<C: Counted> {
    counts: BTreeMap<WorkspaceId, Counts<C>>,
    /// Who will store them. It dies with its runtime, and is then started again.
    clerk: Option<JoinHandle<()>>,
}

impl<C: Counted> Default for Tally<C> {
    fn default() -> Self {
        Self { open: Mutex::new(Open { counts: BTreeMap::new(), clerk: None }), storing: tokio::sync::Mutex::default() }
    }
}

impl<C: Counted> Tally<C> {
    fn open(&self) -> MutexGuard<'_, Open<C>> {
        self.open.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Takes what is counted back, to be stored another time.
    fn put_back(&self, counts: BTreeMap<WorkspaceId, Counts<C>>) {
        let mut open = self.open();
        for (workspace, counts) in counts {
            let known = open.counts.entry(workspace).or_default();
            counts.into_iter().for_each(|(of, count)| add(known, of, count));
        }
    }

    /// Whether all is stored. The answer yes ends the clerk, so nobody may count meanwhile.
    fn is_settled(&self) -> bool {
        let mut open = self.open();
        if open.counts.is_empty() {
            open.clerk = None;
        }
        open.counts.is_empty()
    }
}

fn add<C: Counted>(counts: &mut Counts<C>, of: C::Of, count: C) {
    match counts.get_mut(&of) {
        Some(known) => known.add(count),
        None => drop(counts.insert(of, count)),
    }
}

/// Counts. It is stored a moment later.
pub(crate) fn count<C: Counted>(inner: &Arc<Inner>, workspace: WorkspaceId, of: C::Of, count: C) {
    let mut open = C::tally(inner).open();
    add(open.counts.entry(workspace).or_default(), of, count);
    if open.clerk.as_ref().is_none_or(JoinHandle::is_finished)
        // A future may be dropped outside of the runtime: whoever counts next starts the clerk.
        && let Ok(runtime) = Handle::try_current()
    {
        open.clerk = Some(runtime.spawn(store_soon::<C>(Arc::clone(inner))));
    }
}

async fn store_soon<C: Counted>(inner: Arc<Inner>) {
    loop {
        tokio::time::sleep(PAUSE).await;
        if C::tally(&inner).is_settled() {
            return;
        }
        match store_all::<C>(&inner).await {
            Ok(()) => {}
            Err(error) if error.kind() == ErrorKind::Cancelled => return,
            Err(error) => tracing::debug!(%error, counted = C::NAME, "counts could not be stored; trying again"),
        }
    }
}

/// Stores what this process has counted. It goes on if the caller goes away: what is taken to be stored must be stored.
pub(crate) async fn flush<C: Counted>(inner: &Arc<Inner>) -> Result<()> {
    let tally = C::tally(inner);
    if tally.storing.try_lock().is_ok() && tally.open().counts.is_empty() {
        return Ok(());
    }
    let inner = Arc::clone(inner);
    let storing = tokio::spawn(async move { store_all::<C>(&inner).await });
    storing.await.unwrap_or_else(|e| Err(Error::internal("counts_lost", "what was counted was not stored").with_source(e)))
}

/// Stores what is left when the installation is closed, and lets the clerk go, who has all of it in his hands.
pub(crate) async fn close<C: Counted>(inner: &Arc<Inner>) -> Result<()> {
    let stored = flush::<C>(inner).await;
    let clerk = C::tally(inner).open().clerk.take();
    if let Some(clerk) = clerk {
        clerk.abort();
        let _ = clerk.await;
    }
    stored
}

async fn store_all<C: Counted>(inner: &Inner) -> Result<()> {
    let tally = C::tally(inner);
    let _storing = tally.storing.lock().await;
    let mut counts = std::mem::take(&mut tally.open().counts);
    while let Some((workspace, some)) = counts.pop_first() {
        if let Err(error) = C::store(inner, workspace, &some).await {
            counts.insert(workspace, some);
            tally.put_back(counts);
            return Err(error);
        }
    }
    Ok(())
}
