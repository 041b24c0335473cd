//! What is counted of a call.

use super::store::{self, Sums};
use super::{UsageCounts, UsageFailures};
use crate::atom::Inner;
use crate::connect::Connection;
use crate::crypto::BoxFuture;
use crate::http_client::{Request, Response};
use crate::tally::{self, Counted, Counts, Tally};
use crate::{ConnectionId, Error, ErrorKind, Result, WorkspaceId};
use chrono::{DateTime, DurationRound, TimeDelta, Utc};
use std::borrow::Cow;
use std::time::Instant;

/// The operation of requests that the host writes itself.
pub(in crate::connect) const RAW: &str = "raw";
/// That of tokens that are handed out.
const EXPORT: &str = "export";

/// An operation of a connection in an hour.
#[derive(PartialEq, Eq, PartialOrd, Ord)]
pub(crate) struct Use {
    pub(super) connection: ConnectionId,
    pub(super) hour: DateTime<Utc>,
    pub(super) operation: Cow<'static, str>,
}

/// What was counted of it.
pub(crate) struct Used {
    pub(super) sums: Sums,
    pub(super) last: DateTime<Utc>,
}

impl Sums {
    pub(super) fn add(&mut self, more: &Self) {
        self.calls += more.calls;
        self.retries += more.retries;
        self.unauthorized += more.unauthorized;
        self.rate_limited += more.rate_limited;
        self.refused += more.refused;
        self.provider_faults += more.provider_faults;
        self.unreachable += more.unreachable;
        self.micros += more.micros;
        self.bytes_sent += more.bytes_sent;
        self.bytes_received += more.bytes_received;
    }

    pub(super) fn shown(&self) -> UsageCounts {
        let Self { unauthorized, rate_limited, refused, provider_faults, unreachable, .. } = *self;
        let total = unauthorized + rate_limited + refused + provider_faults + unreachable;
        UsageCounts {
            calls: self.calls,
            failures: UsageFailures { total, unauthorized, rate_limited, refused, provider_faults, unreachable },
            retries: self.retries,
            milliseconds: self.micros / 1000,
            bytes_sent: self.bytes_sent,
            bytes_received: self.bytes_received,
        }
    }
}

impl Counted for Used {
    type Of = Use;
    const NAME: &'static str = "uses of connections";

    fn tally(inner: &Inner) -> &Tally<Self> {
        &inner.connection_usage
    }

    fn add(&mut self, more: Self) {
        self.sums.add(&more.sums);
        self.last = self.last.max(more.last);
    }

    fn store<'a>(inner: &'a Inner, workspace: WorkspaceId, counts: &'a Counts<Self>) -> BoxFuture<'a, Result<()>> {
        Box::pin(async move {
            let mut tx = inner.db()?.begin().await?;
            let mut counts = counts.iter().peekable();
            while let Some(&(Use { connection, .. }, _)) = counts.peek() {
                // They are in the order of the connections.
                let of_one: Vec<_> = std::iter::from_fn(|| counts.next_if(|(of, _)| of.connection == *connection)).collect();
                let calls: i64 = of_one.iter().map(|(_, used)| used.sums.calls).sum();
                let last = of_one.iter().map(|(_, used)| used.last).max().unwrap_or_default();
                // One that is gone meanwhile has nothing to be counted for.
                if store::touch(&mut tx, workspace, *connection, calls, last).await? {
                    for (of, used) in of_one {
                        let bucket = store::Bucket::hour(*connection, of.hour, &of.operation);
                        store::add(&mut tx, workspace, &bucket, &used.sums).await?;
                    }
                }
            }
            tx.commit().await
        })
    }
}

/// Goes along with a call, and counts it when it ends: also if its caller goes away before.
pub(crate) struct Meter<'a> {
    connection: &'a Connection,
    operation: Cow<'static, str>,
    began: Instant,
    requests: i64,
    sums: Sums,
    ending: Ending,
}

/// How a call ended.
#[derive(Clone, Copy, Debug, PartialEq)]
enum Ending {
    /// The caller went away.
    Unknown,
    Fine,
    Unauthorized,
    RateLimited,
    Refused,
    ProviderFault,
    Unreachable,
    /// It is not the provider's doing.
    Ours,
}

impl Ending {
    fn of_status(status: u16) -> Self {
        match status {
            401 | 403 => Self::Unauthorized,
            429 => Self::RateLimited,
            400..=499 => Self::Refused,
            500.. => Self::ProviderFault,
            _ => Self::Fine,
        }
    }

    fn of_error(error: &Error) -> Self {
        match (error.kind(), error.status().map(Self::of_status)) {
            (ErrorKind::RateLimited, _) => Self::RateLimited,
            (ErrorKind::ReauthRequired, _) => Self::Unauthorized,
            // A status of success with an answer that is none.
            (_, Some(Self::Fine)) => Self::ProviderFault,
            (_, Some(by_status)) => by_status,
            (ErrorKind::Provider, None) => Self::ProviderFault,
            (ErrorKind::Unavailable, None) => Self::Unreachable,
            _ => Self::Ours,
        }
    }
}

impl<'a> Meter<'a> {
    /// Begins an operation.
    pub(crate) fn begin(connection: &'a Connection, operation: impl Into<Cow<'static, str>>) -> Self {
        let (operation, began) = (operation.into(), Instant::now());
        Self { connection, operation, began, requests: 0, sums: Sums::default(), ending: Ending::Unknown }
    }

    /// Begins to hand out a token.
    pub(in crate::connect) fn export(connection: &'a Connection) -> Self {
        Self::begin(connection, EXPORT)
    }

    /// A request is sent now.
    pub(crate) fn sends(&mut self, request: &Request) {
        self.requests += 1;
        self.sums.bytes_sent += bytes(&request.body);
    }

    /// An answer has come.
    pub(crate) fn receives(&mut self, answer: &Response) {
        self.sums.bytes_received += bytes(&answer.body);
    }

    /// Ends with what the caller gets.
    pub(crate) fn end(mut self, outcome: Result<Response>) -> Result<Response> {
        self.ending = match &outcome {
            Ok(answer) => {
                self.receives(answer);
                Ending::of_status(answer.status)
            }
            Err(error) => Ending::of_error(error),
        };
        outcome
    }

    /// Ends with something that is no answer of the provider.
    pub(crate) fn end_with<T>(mut self, outcome: Result<T>) -> Result<T> {
        self.ending = outcome.as_ref().map_or_else(Ending::of_error, |_| Ending::Fine);
        outcome
    }
}

fn bytes(body: &[u8]) -> i64 {
    i64::try_from(body.len()).unwrap_or(i64::MAX)
}

impl Drop for Meter<'_> {
    fn drop(&mut self) {
        let Self { ending, requests, .. } = *self;
        if requests == 0 && matches!(ending, Ending::Unknown | Ending::Ours) {
            return;
        }
        let counter = match ending {
            Ending::Unknown | Ending::Fine | Ending::Ours => None,
            Ending::Unauthorized => Some(&mut self.sums.unauthorized),
            Ending::RateLimited => Some(&mut self.sums.rate_limited),
            Ending::Refused => Some(&mut self.sums.refused),
            Ending::ProviderFault => Some(&mut self.sums.provider_faults),
            Ending::Unreachable => Some(&mut self.sums.unreachable),
        };
        if let Some(counter) = counter {
            *counter = 1;
        }
        self.sums.calls = 1;
        self.sums.retries = (requests - 1).max(0);
        self.sums.micros = i64::try_from(self.began.elapsed().as_micros()).unwrap_or(i64::MAX);
        let (connection, last) = (self.connection, self.connection.inner.now());
        let hour = last.duration_trunc(TimeDelta::hours(1)).unwrap_or(last);
        let operation = std::mem::take(&mut self.operation);
        let of = Use { connection: connection.id, hour, operation };
        tally::count(&connection.inner, connection.principal.workspace_id, of, Used { sums: self.sums, last });
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_failure_is_sorted_by_what_the_provider_said_and_by_what_it_means() {
        let of = |kind, status: Option<u16>| {
            let error = Error::new(kind, "x", "x");
            Ending::of_error(&match status {
                Some(status) => error.with_status(status),
                None => error,
            })
        };
        let cases = [
            (ErrorKind::RateLimited, Some(403), Ending::RateLimited),
            (ErrorKind::ReauthRequired, Some(403), Ending::Unauthorized),
            (ErrorKind::ReauthRequired, None, Ending::Unauthorized),
            (ErrorKind::Provider, Some(403), Ending::Unauthorized),
            (ErrorKind::Provider, Some(422), Ending::Refused),
            (ErrorKind::NotFound, Some(404), Ending::Refused),
            (ErrorKind::Unavailable, Some(503), Ending::ProviderFault),
            (ErrorKind::Provider, Some(200), Ending::ProviderFault),
            (ErrorKind::Provider, None, Ending::ProviderFault),
            (ErrorKind::Unavailable, None, Ending::Unreachable),
            (ErrorKind::Invalid, None, Ending::Ours),
            (ErrorKind::NotConnected, None, Ending::Ours),
        ];
        for (kind, status, expected) in cases {
            assert_eq!(of(kind, status), expected, "{kind:?} {status:?}");
        }
        assert_eq!([200, 302, 400, 401, 429, 500].map(Ending::of_status), {
            use Ending::*;
            [Fine, Fine, Refused, Unauthorized, RateLimited, ProviderFault]
        });
    }
}
