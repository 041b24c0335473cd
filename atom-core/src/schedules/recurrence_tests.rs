use super::*;

fn at(text: &str) -> DateTime<Utc> {
    DateTime::parse_from_rfc3339(&format!("{text}Z")).expect("a moment").to_utc()
}

fn cron(expression: &str, zone: &str) -> Recurrence {
    Recurrence::cron(expression, Some(zone)).expect("it is well formed")
}

fn walk(rule: &Recurrence, from: &str, count: usize) -> Vec<DateTime<Utc>> {
    std::iter::successors(rule.next_after(at(from)), |at| rule.next_after(*at)).take(count).collect()
}

/// Zone, expression, a moment, and what comes after it: all in UTC.
type Row = (&'static str, &'static str, &'static str, &'static [&'static str]);

const CHANGES: &[Row] = &[
    // Berlin, spring: at 01:00 UTC the clock goes from 02:00 to 03:00.
    (
        "Europe/Berlin",
        "30 2 * * *",
        "2026-03-28T00:00:00",
        &["2026-03-28T01:30:00", "2026-03-29T01:00:00", "2026-03-30T00:30:00"],
    ),
    ("Europe/Berlin", "0,30 2 * * *", "2026-03-28T02:00:00", &["2026-03-29T01:00:00", "2026-03-30T00:00:00"]),
    (
        "Europe/Berlin",
        "30 2,3 * * *",
        "2026-03-28T12:00:00",
        &["2026-03-29T01:00:00", "2026-03-29T01:30:00", "2026-03-30T00:30:00"],
    ),
    ("Europe/Berlin", "30 2,14 * * *", "2026-03-28T20:00:00", &["2026-03-29T01:00:00", "2026-03-29T12:30:00"]),
    ("Europe/Berlin", "*/30 2 * * *", "2026-03-28T02:00:00", &["2026-03-30T00:00:00", "2026-03-30T00:30:00"]),
    (
        "Europe/Berlin",
        "*/30 * * * *",
        "2026-03-29T00:00:00",
        &["2026-03-29T00:30:00", "2026-03-29T01:00:00", "2026-03-29T01:30:00"],
    ),
    // Berlin, autumn: at 01:00 UTC the clock goes from 03:00 to 02:00.
    (
        "Europe/Berlin",
        "30 2 * * *",
        "2026-10-24T00:00:00",
        &["2026-10-24T00:30:00", "2026-10-25T00:30:00", "2026-10-26T01:30:00"],
    ),
    ("Europe/Berlin", "30 2 * * *", "2026-10-25T01:15:00", &["2026-10-26T01:30:00"]),
    (
        "Europe/Berlin",
        "0,30 2 * * *",
        "2026-10-24T12:00:00",
        &["2026-10-25T00:00:00", "2026-10-25T00:30:00", "2026-10-26T01:00:00"],
    ),
    (
        "Europe/Berlin",
        "0 2-4 * * *",
        "2026-10-24T12:00:00",
        &["2026-10-25T00:00:00", "2026-10-25T02:00:00", "2026-10-25T03:00:00"],
    ),
    (
        "Europe/Berlin",
        "*/30 2 * * *",
        "2026-10-24T12:00:00",
        &["2026-10-25T00:00:00", "2026-10-25T00:30:00", "2026-10-25T01:00:00", "2026-10-25T01:30:00", "2026-10-26T01:00:00"],
    ),
    // New York, spring (07:00 UTC) and autumn (06:00 UTC).
    ("America/New_York", "30 2 * * *", "2026-03-07T12:00:00", &["2026-03-08T07:00:00", "2026-03-09T06:30:00"]),
    ("America/New_York", "30 1 * * *", "2026-10-31T12:00:00", &["2026-11-01T05:30:00", "2026-11-02T06:30:00"]),
    (
        "America/New_York",
        "15 * * * *",
        "2026-11-01T04:30:00",
        &["2026-11-01T05:15:00", "2026-11-01T06:15:00", "2026-11-01T07:15:00"],
    ),
    // Lord Howe changes by half an hour: 02:00 to 02:30 in its spring, 02:00 to 01:30 in its autumn.
    ("Australia/Lord_Howe", "15 2 * * *", "2026-10-02T16:00:00", &["2026-10-03T15:30:00", "2026-10-04T15:15:00"]),
    ("Australia/Lord_Howe", "45 1 * * *", "2026-04-04T00:00:00", &["2026-04-04T14:45:00", "2026-04-05T15:15:00"]),
    (
        "Australia/Lord_Howe",
        "*/15 * * * *",
        "2026-04-04T14:30:00",
        &["2026-04-04T14:45:00", "2026-04-04T15:00:00", "2026-04-04T15:15:00", "2026-04-04T15:30:00"],
    ),
    // Auckland, in the south: spring in September, autumn in April.
    ("Pacific/Auckland", "30 2 * * *", "2026-09-26T00:00:00", &["2026-09-26T14:00:00", "2026-09-27T13:30:00"]),
    ("Pacific/Auckland", "30 2 * * *", "2026-04-04T00:00:00", &["2026-04-04T13:30:00", "2026-04-05T14:30:00"]),
    // Beirut skips midnight.
    ("Asia/Beirut", "0 0 * * *", "2026-03-27T23:00:00", &["2026-03-28T22:00:00", "2026-03-29T21:00:00"]),
    ("Asia/Beirut", "15 0 29 3 *", "2026-01-01T00:00:00", &["2026-03-28T22:00:00", "2027-03-28T21:15:00"]),
    // India changes nothing.
    ("Asia/Kolkata", "30 2 * * *", "2026-03-28T00:00:00", &["2026-03-28T21:00:00", "2026-03-29T21:00:00"]),
    // Seconds, days and nicknames.
    ("UTC", "*/20 0 12 * * *", "2026-01-01T12:00:10", &["2026-01-01T12:00:20", "2026-01-01T12:00:40", "2026-01-02T12:00:00"]),
    ("UTC", "0 9 1 * MON", "2026-02-24T00:00:00", &["2026-03-01T09:00:00", "2026-03-02T09:00:00", "2026-03-09T09:00:00"]),
    ("UTC", "0 0 29 2 *", "2026-01-01T00:00:00", &["2028-02-29T00:00:00", "2032-02-29T00:00:00"]),
    ("UTC", "@weekly", "2026-01-01T00:00:00", &["2026-01-04T00:00:00", "2026-01-11T00:00:00"]),
];

#[test]
fn named_times_fire_once_and_passing_ones_as_the_clock_shows_them() {
    for (zone, expression, from, expected) in CHANGES {
        let expected: Vec<_> = expected.iter().map(|text| at(text)).collect();
        assert_eq!(walk(&cron(expression, zone), from, expected.len()), expected, "{expression} in {zone} after {from}");
    }
}

#[test]
fn every_minute_whose_wall_clock_fits_is_found_across_a_year_of_changes() {
    for zone in ["Europe/Berlin", "America/New_York", "Australia/Lord_Howe", "Pacific/Auckland", "Asia/Beirut", "Asia/Kolkata"] {
        let rule = cron("*/10 1-3 * * *", zone);
        let Recurrence::Cron { cron, zone, .. } = &rule else { panic!("it is a cron rule") };
        let start = at("2026-01-01T00:00:00");
        let minutes = (1..=365 * 24 * 60).map(|minute| start + TimeDelta::minutes(minute));
        let fitting: Vec<_> = minutes.filter(|at| cron.is_time_matching(&at.with_timezone(zone)).expect("a match")).collect();
        assert_eq!(walk(&rule, "2026-01-01T00:00:00", fitting.len()), fitting, "{zone}");
    }
}

#[test]
fn an_interval_starts_at_its_anchor_and_a_moment_comes_once() {
    let rule = Recurrence::every(90, at("2026-03-29T00:59:00")).expect("well formed");
    assert_eq!(walk(&rule, "2020-01-01T00:00:00", 2), [at("2026-03-29T00:59:00"), at("2026-03-29T01:00:30")]);
    assert_eq!(walk(&rule, "2026-03-29T01:00:30", 1), [at("2026-03-29T01:02:00")]);
    assert_eq!(rule.next_after(at("2026-03-29T01:00:29.999")), Some(at("2026-03-29T01:00:30")));
    assert_eq!(rule.next_after(DateTime::<Utc>::MAX_UTC), None);
    let once = Recurrence::once(at("2026-01-01T12:00:00"));
    assert_eq!(walk(&once, "2026-01-01T11:59:59", 5), [at("2026-01-01T12:00:00")]);
}

#[test]
fn what_cannot_be_read_or_never_fires_is_refused() {
    let reason = |expression, zone| Recurrence::cron(expression, zone).expect_err(expression).reason();
    let long = "1,".repeat(200) + "1 * * * *";
    for expression in [
        "",
        "* * * *",
        "* * * * * * *",
        "60 * * * *",
        "0 24 * * *",
        "* * 32 * *",
        "* * * 13 *",
        "a b c d e",
        "@reboot",
        "*/0 * * * *",
        &long,
    ] {
        assert_eq!(reason(expression, None), "malformed_cron", "{expression}");
    }
    for expression in ["0 0 31 2 *", "0 0 30 2 *", "* * * 31 4,6,9,11 *", "*/5 0 31 2 *"] {
        assert_eq!(reason(expression, None), "cron_never_fires", "{expression}");
    }
    for zone in ["Mars/Olympus", "CEST", "", "europe berlin"] {
        assert_eq!(reason("0 0 * * *", Some(zone)), "unknown_time_zone", "{zone}");
    }
    for seconds in [0, -1, i64::MAX, i64::MIN] {
        let error = Recurrence::every(seconds, DateTime::UNIX_EPOCH).expect_err("no interval");
        assert_eq!(error.reason(), "malformed_interval");
    }
}

#[test]
fn missed_occurrences_are_skipped_joined_or_made_up_for() {
    let rule = cron("0 * * * *", "UTC");
    let (last, now) = (at("2026-01-01T00:00:00"), at("2026-01-01T05:30:00"));
    let due = |policy, cap| rule.due(last, now, policy, cap);
    let hour = |hour: i64| last + TimeDelta::hours(hour);
    assert_eq!(due(MissedRuns::Skip, 10), Due { occurrences: vec![], through: now });
    assert_eq!(due(MissedRuns::One, 10), Due { occurrences: vec![hour(5)], through: now });
    assert_eq!(due(MissedRuns::All, 10), Due { occurrences: (1..=5).map(hour).collect(), through: now });
    let first = due(MissedRuns::All, 3);
    assert_eq!(first, Due { occurrences: (1..=3).map(hour).collect(), through: hour(3) });
    let rest = rule.due(first.through, now, MissedRuns::All, 3);
    assert_eq!(rest, Due { occurrences: vec![hour(4), hour(5)], through: now });
}

#[test]
fn an_occurrence_that_is_due_now_fires_under_every_policy_and_once() {
    let (rule, now) = (cron("0 * * * *", "UTC"), at("2026-01-01T05:00:20"));
    for policy in [MissedRuns::Skip, MissedRuns::One, MissedRuns::All] {
        let due = rule.due(at("2026-01-01T04:59:50"), now, policy, 10);
        assert_eq!(due, Due { occurrences: vec![at("2026-01-01T05:00:00")], through: now }, "{policy:?}");
        assert!(rule.due(due.through, now + TimeDelta::seconds(5), policy, 10).occurrences.is_empty(), "{policy:?}");
        assert_eq!(rule.due(now, now - TimeDelta::hours(1), policy, 10).through, now, "a clock that went back repeats nothing");
    }
}

#[test]
fn the_newest_of_a_year_of_missed_seconds_is_found_without_walking_through_them() {
    for rule in [cron("* * * * * *", "Europe/Berlin"), Recurrence::every(1, at("2025-01-01T00:00:00")).expect("well formed")] {
        let now = at("2026-01-01T00:00:00");
        assert_eq!(rule.newest(at("2025-01-01T00:00:00"), now), Some(now));
    }
    let yearly = cron("0 0 1 6 *", "Europe/Berlin");
    assert_eq!(yearly.newest(at("2020-01-01T00:00:00"), at("2026-01-01T00:00:00")), Some(at("2025-05-31T22:00:00")));
}
