//! Single flight: of many callers that want the same thing at once, one does it and all get its result.

use crate::vault::Stored;
use crate::{ConnectionId, Error, Result};
use std::collections::HashMap;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;
use tokio::sync::watch;

type Outcome = Option<Result<Stored>>;

/// A token set of a connection.
pub(crate) type Flight = (ConnectionId, String);

/// The refreshes that are under way in this process.
#[derive(Clone, Default)]
pub(crate) struct Flights(Arc<Mutex<HashMap<Flight, watch::Receiver<Outcome>>>>);

impl Flights {
    /// Joins the refresh of a token set, or starts it, and waits so long at most. It runs on a task of its own: a caller that is
    /// cancelled, as Kotlin and Python do by dropping the future, leaves it running.
    pub(crate) async fn join(
        &self,
        id: Flight,
        work: impl Future<Output = Result<Stored>> + Send + 'static,
        patience: Duration,
    ) -> Option<Result<Stored>> {
        let mut outcome = self.start(id, work);
        let landed = tokio::time::timeout(patience, outcome.wait_for(Option::is_some)).await.ok()?;
        let landed = landed.ok().and_then(|outcome| outcome.clone());
        Some(landed.unwrap_or_else(|| Err(Error::internal("refresh_crashed", "a token refresh ended without a result"))))
    }

    /// Starts the refresh of a token set, unless it is under way.
    pub(crate) fn start(
        &self,
        id: Flight,
        work: impl Future<Output = Result<Stored>> + Send + 'static,
    ) -> watch::Receiver<Outcome> {
        let mut flights = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some(flying) = flights.get(&id) {
            return flying.clone();
        }
        let (land, outcome) = watch::channel(None);
        flights.insert(id.clone(), outcome.clone());
        let landing = Landing(self.clone(), id);
        tokio::spawn(async move {
            let result = work.await;
            // Whoever comes from now on reads the database again.
            drop(landing);
            land.send_replace(Some(result));
        });
        outcome
    }

    /// Waits until all that are under way have ended, so long at most: what they got from a provider exists nowhere else.
    pub(crate) async fn land(&self, patience: Duration) {
        let flying: Vec<_> = self.0.lock().unwrap_or_else(PoisonError::into_inner).values().cloned().collect();
        let landed = flying.into_iter().map(|mut outcome| async move { drop(outcome.wait_for(Option::is_some).await) });
        let _ = tokio::time::timeout(patience, futures_util::future::join_all(landed)).await;
    }
}

/// Takes a flight off the board, even when its task panics.
struct Landing(Flights, Flight);

impl Drop for Landing {
    fn drop(&mut self) {
        self.0.0.lock().unwrap_or_else(PoisonError::into_inner).remove(&self.1);
    }
}
