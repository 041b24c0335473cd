//! Revocation that cannot wait.

use super::processes::{Order, Part};
use super::*;
use crate::process::Process;

/// What another process says about an access token: its role, or why not.
async fn asked(process: &mut Process, token: &Secret, live: bool) -> String {
    let token = token.expose().to_owned();
    let order = if live { Order::Live { token } } else { Order::Authenticate { token } };
    process.tell(&serde_json::to_string(&order).unwrap()).await;
    process.hear().await
}

on_both!(p15_every_kind_of_end_is_seen_by_another_process_at_once, |database| async move {
    let atom = database.open().await;
    let (ada, scope) = sign_up(&atom, "ada@example.com").await;
    let mut other = Process::start(&Part::new(&database, 1));
    other.ready().await;
    assert_eq!(asked(&mut other, &ada.access_token, true).await, "owner");

    let phone = device(&atom, Client::default()).await;
    assert_eq!(asked(&mut other, &phone.access_token, true).await, "owner");
    scope.sessions().revoke(phone.id).await.unwrap();
    assert_eq!(asked(&mut other, &phone.access_token, true).await, "session_revoked");
    assert_eq!(asked(&mut other, &phone.access_token, false).await, "owner", "it is believed until it expires");

    let phone = device(&atom, Client::default()).await;
    atom.accounts().sign_out(phone.refresh_token).await.unwrap();
    assert_eq!(asked(&mut other, &phone.access_token, true).await, "session_revoked");

    let phone = device(&atom, Client::default()).await;
    assert_eq!(scope.sessions().revoke_others().await.unwrap(), 1);
    assert_eq!(asked(&mut other, &phone.access_token, true).await, "session_revoked");
    assert_eq!(asked(&mut other, &ada.access_token, true).await, "owner", "the one that asked goes on");

    let demoted = "UPDATE atom_memberships SET role = 'guest'";
    sql(&database, demoted, demoted).await;
    assert_eq!(asked(&mut other, &ada.access_token, true).await, "guest", "the role of this moment");
    assert_eq!(asked(&mut other, &ada.access_token, false).await, "owner", "the role that it was made with");

    sql(&database, "UPDATE atom_users SET disabled_at = 1", "UPDATE atom_users SET disabled_at = now()").await;
    assert_eq!(asked(&mut other, &ada.access_token, true).await, "session_revoked");
    let enabled = "UPDATE atom_users SET disabled_at = NULL";
    sql(&database, enabled, enabled).await;
    assert_eq!(asked(&mut other, &ada.access_token, true).await, "owner".replace("owner", "guest"));

    sql(&database, "PRAGMA foreign_keys = ON; DELETE FROM atom_memberships", "DELETE FROM atom_memberships").await;
    assert_eq!(asked(&mut other, &ada.access_token, true).await, "session_revoked");
    other.stop().await;
});

on_both!(p15_an_access_token_outlives_its_session_by_a_quarter_of_an_hour_at_most, |database| async move {
    let atom = database.open().await;
    let (ada, scope) = sign_up(&atom, "ada@example.com").await;
    let mut other = Process::start(&Part::new(&database, 1));
    other.ready().await;
    scope.sessions().revoke_all().await.unwrap();
    assert_eq!(asked(&mut other, &ada.access_token, false).await, "owner");
    other.tell(&serde_json::to_string(&Order::Advance { seconds: 15 * 60 + 6 }).unwrap()).await;
    assert_eq!(other.hear().await, "done");
    assert_eq!(asked(&mut other, &ada.access_token, false).await, "access_token_expired");
    other.stop().await;
});

on_both!(a_live_check_knows_a_session_that_was_idle_too_long, |database| async move {
    let clock = TestClock::new();
    let atom = database.builder().clock(clock.clone()).session_idle_days(1).open().await.unwrap();
    let (ada, _) = sign_up(&atom, "ada@example.com").await;
    clock.advance(TimeDelta::minutes(10));
    let scope = atom.authenticate_live(ada.access_token.clone()).await.unwrap();
    assert_eq!(scope.principal(), atom.authenticate(ada.access_token.clone()).await.unwrap().principal());
    // The row is older than the access token: as after a clock that was set.
    let idle = "UPDATE atom_sessions SET refreshed_at = ";
    sql(&database, format!("{idle} 0"), format!("{idle} 'epoch'")).await;
    assert_eq!(reason(atom.authenticate_live(ada.access_token).await), "session_expired");
    assert_eq!(reason(atom.authenticate_live("no.token.at-all".into()).await), "invalid_access_token");
});
