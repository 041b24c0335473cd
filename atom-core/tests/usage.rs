//! How connections are used: counted while calls are made, and reported by operation, time, provider and user.

use crate::support::*;
use atom_core::testing::GoogleStandIn;
use atom_core::*;
use chrono::{DateTime, DurationRound, TimeDelta, Utc};
use sqlx::{Connection as _, Executor, Row as _};
use std::time::{Duration, Instant};

struct Place {
    atom: Atom,
    google: GoogleStandIn,
    clock: TestClock,
    session: Session,
    scope: Scope,
    connection: Connection,
}

impl Place {
    async fn new(database: &Database) -> Self {
        let (google, clock) = (GoogleStandIn::start().await.unwrap(), TestClock::new());
        let atom = database.builder().clock(clock.clone()).provider(google.app()).open().await.unwrap();
        let (session, scope) = sign_up(&atom, "ada@example.com").await;
        let connection = connect(&scope, &google, "ada@gmail.example").await;
        Self { atom, google, clock, session, scope, connection }
    }

    async fn lists(&self, times: usize) {
        for _ in 0..times {
            self.connection.files().list(ListFiles::default()).await.unwrap();
        }
    }

    async fn report(&self) -> UsageReport {
        self.connection.usage(UsageQuery::default()).await.unwrap()
    }

    /// The clock, brought to a few minutes after the next full hour or midnight: what a test counts falls into one bucket.
    fn begin(&self, span: TimeDelta) -> DateTime<Utc> {
        let start = self.clock.now().duration_trunc(span).unwrap() + span;
        self.clock.advance(start - self.clock.now() + TimeDelta::minutes(5));
        start
    }

    async fn raw(&self, url: &str) -> Result<RawResponse> {
        let request = RawRequest { method: "GET".into(), url: url.into(), ..Default::default() };
        self.connection.request(request).await
    }
}

fn by(by: UsageInterval, since: DateTime<Utc>, until: DateTime<Utc>) -> UsageQuery {
    UsageQuery { since: Some(since), until: Some(until), by: Some(by) }
}

/// How many rows there are of a kind of bucket.
async fn stored(database: &Database, span: &'static str) -> i64 {
    let count = sqlx::AssertSqlSafe(format!("SELECT count(*) FROM atom_connection_usage WHERE span = '{span}'"));
    if database.url.starts_with("sqlite:") {
        let mut c = sqlx::SqliteConnection::connect(&database.url).await.unwrap();
        sqlx::query(count).fetch_one(&mut c).await.unwrap().get(0)
    } else {
        let mut c = sqlx::PgConnection::connect(&database.url).await.unwrap();
        sqlx::query(count).fetch_one(&mut c).await.unwrap().get(0)
    }
}

/// Has a worker look after everything, until there are so many rows of hours and of days.
async fn tidied(place: &Place, database: &Database, hours: i64, days: i64) {
    let worker = place.atom.start_worker(Default::default(), None).await.unwrap();
    let started = Instant::now();
    while (stored(database, "hour").await, stored(database, "day").await) != (hours, days) {
        assert!(started.elapsed() < Duration::from_secs(20), "hours become days, and days are forgotten");
        tokio::time::sleep(Duration::from_millis(20)).await;
    }
    tokio::time::sleep(Duration::from_millis(200)).await;
    worker.stop().await.unwrap();
    assert_eq!((stored(database, "hour").await, stored(database, "day").await), (hours, days));
}

on_both!(every_kind_of_call_is_counted_by_its_operation, |database| async move {
    let place = Place::new(&database).await;
    assert_eq!(place.report().await.totals.calls, 0, "connecting is no use");
    place.lists(3).await;
    place.connection.mail().list(ListMessages::default()).await.unwrap();
    assert_eq!(place.raw("https://www.googleapis.com/drive/v3/files").await.unwrap().status, 200);
    place.connection.access_token().await.unwrap();
    place.connection.access_token_of("default".into()).await.unwrap();

    let report = place.report().await;
    let operations: Vec<_> = report.operations.iter().map(|of| (of.operation.as_str(), of.counts.calls)).collect();
    let expected = [("drive.files.list", 3), ("export", 2), ("gmail.users.messages.list", 1), ("raw", 1)];
    assert_eq!(operations, expected);
    assert!(report.operations.iter().all(|of| of.provider == "google"));
    let totals = &report.totals;
    assert_eq!((totals.calls, totals.failures.total, totals.retries, totals.bytes_sent), (7, 0, 0, 0));
    assert!(totals.milliseconds > 0 && totals.bytes_received > 0, "{totals:?}");
    assert_eq!(report.series.iter().map(|bucket| bucket.counts.calls).sum::<i64>(), 7);

    let account = place.connection.account().await.unwrap();
    assert_eq!(account.use_count, 7);
    assert!(account.last_used_at.is_some_and(|at| at > account.connected_at && at <= place.clock.now()));
    let request = RawRequest {
        method: "POST".into(),
        url: "https://www.googleapis.com/drive/v3/files".into(),
        content: Some(Bytes::from(&b"123456789"[..])),
        ..Default::default()
    };
    place.connection.request(request).await.unwrap();
    assert_eq!(place.report().await.totals.bytes_sent, 9);
});

on_both!(failures_are_counted_by_what_the_provider_said, |database| async move {
    let place = Place::new(&database).await;
    let (path, url) = ("/drive/v3/files", "https://www.googleapis.com/drive/v3/files");
    for (status, count) in [(400, 1), (403, 2), (429, 3), (503, 4)] {
        place.google.fail_next(path.into(), status, count).await.unwrap();
        for _ in 0..count {
            assert_eq!(i64::from(place.raw(url).await.unwrap().status), status, "an answer is an answer");
        }
    }
    place.google.lose_next(path.into(), 1).await.unwrap();
    place.raw(url).await.unwrap_err();
    place.connection.files().get("none".into()).await.unwrap_err();
    let totals = place.report().await.totals;
    let failures = UsageFailures { total: 12, unauthorized: 2, rate_limited: 3, refused: 2, provider_faults: 4, unreachable: 1 };
    assert_eq!((totals.calls, totals.failures, totals.retries), (12, failures, 0));

    // A call that succeeds at last has not failed.
    place.google.fail_next(path.into(), 503, 2).await.unwrap();
    place.lists(1).await;
    place.google.expire_access_tokens().await.unwrap();
    place.lists(1).await;
    let report = place.report().await;
    let lists = report.operations.iter().find(|of| of.operation == "drive.files.list").unwrap();
    assert_eq!((lists.counts.calls, lists.counts.failures.total, lists.counts.retries), (2, 0, 3));
});

on_both!(what_is_refused_before_it_is_sent_is_no_use, |database| async move {
    let place = Place::new(&database).await;
    place.raw("https://evil.example/").await.unwrap_err();
    place.raw("no url").await.unwrap_err();
    place.connection.files().get(String::new()).await.unwrap_err();
    let (bob, _) = sign_up(&place.atom, "bob@example.com").await;
    place
        .atom
        .act_as(bob.user.id, bob.workspace.id)
        .await
        .unwrap()
        .connections()
        .open(place.connection.id())
        .await
        .err()
        .unwrap();
    place.connection.revoke().await.unwrap();
    place.connection.access_token().await.err().unwrap();
    assert_eq!(place.report().await.totals.calls, 0);
    assert_eq!(place.connection.account().await.unwrap().last_used_at, None);
});

on_both!(a_report_is_divided_into_hours_or_days, |database| async move {
    let place = Place::new(&database).await;
    let midnight = place.begin(TimeDelta::days(1));
    place.lists(1).await;
    place.clock.advance(TimeDelta::hours(1));
    place.lists(2).await;
    place.clock.advance(TimeDelta::days(1));
    place.lists(4).await;
    let series = async |query: UsageQuery| {
        let report = place.connection.usage(query).await.unwrap();
        report.series.iter().map(|bucket| (bucket.starts_at, bucket.counts.calls)).collect::<Vec<_>>()
    };
    let (hour, day) = (TimeDelta::hours(1), TimeDelta::days(1));
    let end = midnight + day * 2;
    let hours = series(by(UsageInterval::Hour, midnight, end)).await;
    assert_eq!(hours, [(midnight, 1), (midnight + hour, 2), (midnight + day + hour, 4)]);
    assert_eq!(series(by(UsageInterval::Day, midnight, end)).await, [(midnight, 3), (midnight + day, 4)]);
    assert_eq!(series(by(UsageInterval::Day, midnight, midnight + day)).await, [(midnight, 3)]);
    assert_eq!(series(by(UsageInterval::Hour, midnight + hour, midnight + hour * 2)).await, [(midnight + hour, 2)]);
    assert_eq!(series(UsageQuery::default()).await, [(midnight, 3), (midnight + day, 4)]);
    for wrong in [by(UsageInterval::Day, end, midnight), by(UsageInterval::Hour, midnight - day * 20, end)] {
        let error = place.connection.usage(wrong).await.err().unwrap();
        assert_eq!((error.kind(), error.reason()), (ErrorKind::Invalid, "malformed_usage_query"));
    }
});

on_both!(hours_become_days_after_a_week_and_are_forgotten_after_400, |database| async move {
    let place = Place::new(&database).await;
    let midnight = place.begin(TimeDelta::days(1));
    for _ in 0..3 {
        place.lists(2).await;
        place.connection.access_token().await.unwrap();
        place.clock.advance(TimeDelta::hours(5));
    }
    place.report().await;
    let (week, day) = (TimeDelta::days(7), TimeDelta::days(1));
    assert_eq!((stored(&database, "hour").await, stored(&database, "day").await), (6, 0));
    place.clock.advance(week);
    let query = || by(UsageInterval::Day, midnight, midnight + day);
    let before = place.connection.usage(query()).await.unwrap();
    assert_eq!(before.totals.calls, 9);
    // The day that began seven days ago is still in hours.
    tidied(&place, &database, 6, 0).await;

    place.clock.advance(day);
    place.lists(1).await;
    place.report().await;
    // Whoever else looks after it at the same moment makes no day of an hour that was taken.
    let other = database.builder().clock(place.clock.clone()).provider(place.google.app()).open().await.unwrap();
    let helper = other.start_worker(Default::default(), None).await.unwrap();
    tidied(&place, &database, 1, 2).await;
    helper.stop().await.unwrap();
    assert_eq!(place.connection.usage(query()).await.unwrap(), before, "nothing is lost and nothing counted twice");

    place.clock.advance(TimeDelta::days(380));
    assert_eq!(place.connection.usage(query()).await.unwrap(), before);
    place.clock.advance(TimeDelta::days(30));
    tidied(&place, &database, 0, 0).await;
    assert_eq!(place.connection.usage(query()).await.unwrap().totals.calls, 0);
    assert_eq!(place.connection.account().await.unwrap().use_count, 10, "the counter stays");
});

on_both!(a_user_sees_their_own_and_an_admin_sees_everybody, |database| async move {
    let place = Place::new(&database).await;
    let (bob, bobs_own) = sign_up(&place.atom, "bob@example.com").await;
    let joins = |now: &str| {
        format!(
            "INSERT INTO atom_memberships (workspace_id, user_id, role, created_at) SELECT w.id, u.id, 'member', {now} FROM atom_workspaces w, atom_users u \
              WHERE w.name = 'ada' AND u.email = 'bob@example.com'"
        )
    };
    sql(&database, joins("0").leak(), joins("now()").leak()).await;
    let workspace = place.session.workspace.id;
    let shared = place.atom.act_as(bob.user.id, workspace).await.unwrap().connections();
    let elsewhere = connect(&bobs_own, &place.google, "bob@gmail.example").await;
    elsewhere.files().list(ListFiles::default()).await.unwrap();
    place.lists(2).await;
    let second = connect(&place.scope, &place.google, "ada@work.example").await;
    second.files().list(ListFiles::default()).await.unwrap();
    let authorization = shared.start(start("google")).await.unwrap();
    let callback = place.google.approve(authorization.url, "bob@work.example".into()).await.unwrap();
    let bobs = shared.complete(callback).await.unwrap();
    bobs.access_token().await.unwrap();

    let shares = |report: &UsageReport| -> Vec<_> {
        report.providers.iter().map(|of| (of.provider.clone(), of.user_id, of.counts.calls)).collect()
    };
    let (ada, bob) = (place.session.user.id, bob.user.id);
    let query = UsageQuery::default;
    assert_eq!(shares(&place.report().await), [("google".to_owned(), ada, 2)]);
    assert_eq!(shares(&place.scope.connections().usage(query()).await.unwrap()), [("google".to_owned(), ada, 3)]);
    assert_eq!(shares(&shared.usage(query()).await.unwrap()), [("google".to_owned(), bob, 1)]);
    let all = place.scope.connections().workspace_usage(query()).await.unwrap();
    assert_eq!(shares(&all), [("google".to_owned(), ada, 3), ("google".to_owned(), bob, 1)]);
    assert_eq!((all.totals.calls, all.operations.len()), (4, 2), "nothing of another workspace");
    let error = shared.workspace_usage(query()).await.err().unwrap();
    assert_eq!((error.kind(), error.reason()), (ErrorKind::Forbidden, "not_an_admin"));
});

on_both!(no_use_of_many_at_once_is_lost_and_a_clean_stop_stores_all, |database| async move {
    let place = Place::new(&database).await;
    let other = database.builder().clock(place.clock.clone()).provider(place.google.app()).open().await.unwrap();
    let elsewhere = other.act_as(place.session.user.id, place.session.workspace.id).await.unwrap();
    let elsewhere = elsewhere.connections().open(place.connection.id()).await.unwrap();
    let callers: Vec<_> = (0..200)
        .map(|i| {
            let connection = if i % 2 == 0 { place.connection.clone() } else { elsewhere.clone() };
            tokio::spawn(async move {
                connection.access_token().await.unwrap();
                if i % 20 == 0 {
                    // Whoever goes away while counts are stored takes none of them along.
                    let _ = tokio::time::timeout(Duration::from_micros(200), connection.usage(UsageQuery::default())).await;
                }
            })
        })
        .collect();
    for caller in callers {
        caller.await.unwrap();
    }
    other.shut_down().await.unwrap();
    place.atom.shut_down().await.unwrap();
    let atom = database.builder().clock(place.clock.clone()).provider(place.google.app()).open().await.unwrap();
    let scope = atom.act_as(place.session.user.id, place.session.workspace.id).await.unwrap();
    assert_eq!(scope.connections().list().await.unwrap()[0].use_count, 200);
    assert_eq!(scope.connections().usage(UsageQuery::default()).await.unwrap().totals.calls, 200);
});

on_both!(a_call_waits_for_no_count_to_be_stored, |database| async move {
    let place = Place::new(&database).await;
    place.lists(1).await;
    let calls = async || {
        let began = Instant::now();
        for _ in 0..5 {
            place.lists(1).await;
        }
        assert!(began.elapsed() < Duration::from_secs(5), "a call waited for a write: {:?}", began.elapsed());
        // Long enough that the counts are to be stored, and cannot be.
        tokio::time::sleep(Duration::from_secs(3)).await;
        place.lists(1).await;
    };
    if database.url.starts_with("sqlite:") {
        let mut c = sqlx::SqliteConnection::connect(&database.url).await.unwrap();
        c.execute("BEGIN IMMEDIATE").await.unwrap();
        calls().await;
        c.execute("ROLLBACK").await.unwrap();
    } else {
        let mut c = sqlx::PgConnection::connect(&database.url).await.unwrap();
        c.execute("BEGIN; LOCK TABLE atom_connections, atom_connection_usage IN SHARE MODE").await.unwrap();
        calls().await;
        c.execute("ROLLBACK").await.unwrap();
    }
    assert_eq!(place.report().await.totals.calls, 7);
});

on_both!(a_caller_who_goes_away_is_counted_all_the_same, |database| async move {
    let place = Place::new(&database).await;
    place.google.set_delay(500).await.unwrap();
    let files = place.connection.files();
    tokio::time::timeout(Duration::from_millis(100), files.list(ListFiles::default())).await.unwrap_err();
    let report = place.report().await;
    assert_eq!((report.totals.calls, report.totals.failures.total), (1, 0));
    assert!(report.totals.milliseconds >= 90, "{:?}", report.totals);
});

on_both!(counts_of_a_connection_that_is_gone_keep_nobody_from_storing, |database| async move {
    let place = Place::new(&database).await;
    let second = connect(&place.scope, &place.google, "ada@work.example").await;
    place.lists(1).await;
    second.files().list(ListFiles::default()).await.unwrap();
    let gone = "DELETE FROM atom_connections WHERE email = 'ada@gmail.example'";
    sql(&database, gone, gone).await;
    let report = place.scope.connections().usage(UsageQuery::default()).await.unwrap();
    assert_eq!(report.totals.calls, 1);
});
