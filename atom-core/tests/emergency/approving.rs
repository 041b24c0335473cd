//! Approving, denying, cancelling, expiring: who counts, and how often.

use super::*;
use std::time::{Duration, Instant};

on_both!(p41_two_others_approve_and_every_step_is_told_and_logged, |database| async move {
    let place = Place::open(&database).await;
    let bob = place.joins("bob", Role::Admin).await;
    let cleo = place.joins("cleo", Role::Admin).await;
    let request = place.request(&bob).await;
    assert_eq!(reason(bob.emergency_access().reveal(request.id).await), "not_granted");

    let once = place.ada.emergency_access().approve(request.id).await.unwrap();
    assert_eq!((once.state, once.approvals.len()), (EmergencyState::Pending, 1));
    assert_eq!(reason(bob.emergency_access().reveal(request.id).await), "not_granted");
    let granted = cleo.emergency_access().approve(request.id).await.unwrap();
    let approvers: Vec<_> = granted.approvals.iter().map(|approval| approval.user_id).collect();
    assert_eq!(approvers, [Some(place.session.user.id), Some(cleo.principal().user_id)]);
    assert_eq!((granted.state, granted.challenge.as_ref()), (EmergencyState::Granted, None));
    assert_eq!(granted.expires_at, granted.granted_at.unwrap() + TimeDelta::minutes(30));
    assert_eq!(cleo.emergency_access().approve(request.id).await.unwrap(), granted, "twice is no error");

    let secret = bob.emergency_access().reveal(request.id).await.unwrap();
    assert_eq!(secret.kind, EmergencySecretKind::ServiceKey);
    assert!(secret.value.unwrap() == KEY.into());
    assert_eq!(reason(bob.emergency_access().reveal(request.id).await), "request_over");
    assert_eq!(reason(place.ada.emergency_access().deny(request.id).await), "request_over");
    assert_eq!(place.state(request.id).await, EmergencyState::Revealed);

    use AuditAction::*;
    let actions = place.actions(request.id).await;
    assert_eq!(actions, [EmergencyRequested, EmergencyApproved, EmergencyApproved, EmergencyGranted, EmergencyRevealed]);
    assert_eq!(place.told().await, ["requested", "approved", "approved", "granted", "revealed"]);
    let filter = AuditFilter { action: Some(EmergencyRequested), ..Default::default() };
    let entry = place.ada.audit().list(filter).await.unwrap().items.remove(0);
    assert_eq!(entry.user_id, Some(bob.principal().user_id));
    assert_eq!((entry.details["minutes"].as_str(), entry.details["reason_characters"].as_str()), ("30", "53"));
    assert_eq!(place.ada.audit().verify(None).await.unwrap().problem, None);
});

on_both!(nobody_decides_about_their_own_request_and_members_about_none, |database| async move {
    let place = Place::open(&database).await;
    let bob = place.joins("bob", Role::Admin).await;
    let request = place.request(&bob).await;
    let own = bob.emergency_access();
    assert_eq!(reason(own.approve(request.id).await), "own_request");
    assert_eq!(reason(own.deny(request.id).await), "own_request");
    assert_eq!(reason(place.ada.emergency_access().cancel(request.id).await), "not_the_requester");
    assert_eq!(reason(place.ada.emergency_access().reveal(request.id).await), "not_the_requester");

    // Eve sees what is asked about her own key, and decides nothing.
    let eve = place.joins("eve", Role::Member).await;
    let key = NewServiceKey { service: "x".into(), value: KEY.into(), exportable: Some(true), ..Default::default() };
    let key = eve.service_keys().create(key).await.unwrap();
    let request = own.request(for_key(key.id)).await.unwrap();
    assert_eq!(eve.emergency_access().get(request.id).await.unwrap(), request);
    assert_eq!(reason(eve.emergency_access().approve(request.id).await), "not_an_admin");
    assert_eq!(reason(eve.emergency_access().deny(request.id).await), "not_an_admin");
    assert_eq!(place.told().await, ["requested"; 2]);
});

on_both!(p41_of_twenty_approvals_of_one_approver_one_counts, |database| async move {
    let place = Place::open(&database).await;
    let bob = place.joins("bob", Role::Admin).await;
    place.joins("cleo", Role::Admin).await;
    let request = place.request(&bob).await;
    let other = place.elsewhere().await;
    let other = other.act_as(place.session.user.id, place.session.workspace.id).await.unwrap();
    let callers: Vec<_> = (0..20)
        .map(|i| {
            let emergency = if i % 2 == 0 { place.ada.emergency_access() } else { other.emergency_access() };
            tokio::spawn(async move { emergency.approve(request.id).await })
        })
        .collect();
    for caller in callers {
        let seen = caller.await.unwrap().unwrap();
        assert_eq!((seen.state, seen.approvals.len()), (EmergencyState::Pending, 1));
    }
    assert_eq!(place.told().await, ["requested", "approved"]);
    assert_eq!(reason(bob.emergency_access().reveal(request.id).await), "not_granted");
});

on_both!(p41_approvers_at_once_grant_once, |database| async move {
    let place = Place::open(&database).await;
    let bob = place.joins("bob", Role::Admin).await;
    let cleo = place.joins("cleo", Role::Admin).await;
    let dan = place.joins("dan", Role::Owner).await;
    let elsewhere = place.elsewhere().await;
    let cleo = elsewhere.act_as(cleo.principal().user_id, place.session.workspace.id).await.unwrap();
    for round in 1..=5 {
        let request = place.request(&bob).await;
        let callers: Vec<_> = [&place.ada, &cleo, &dan, &place.ada, &cleo]
            .into_iter()
            .map(|scope| {
                let emergency = scope.emergency_access();
                tokio::spawn(async move { emergency.approve(request.id).await })
            })
            .collect();
        for caller in callers {
            // Whoever comes third has nothing to approve.
            if let Err(error) = caller.await.unwrap() {
                assert_eq!((error.kind(), error.reason()), (ErrorKind::Conflict, "already_granted"));
            }
        }
        let granted = place.ada.emergency_access().get(request.id).await.unwrap();
        assert_eq!((granted.state, granted.approvals.len()), (EmergencyState::Granted, 2));
        let told = place.told().await;
        assert_eq!(told.iter().filter(|name| *name == "granted").count(), round);
        assert_eq!(told.iter().filter(|name| *name == "approved").count(), 2 * round);
    }
});

on_both!(one_denial_ends_it_even_at_the_moment_of_the_grant, |database| async move {
    let place = Place::open(&database).await;
    let bob = place.joins("bob", Role::Admin).await;
    let cleo = place.joins("cleo", Role::Admin).await;
    let request = place.request(&bob).await;
    let denied = cleo.emergency_access().deny(request.id).await.unwrap();
    assert_eq!((denied.state, denied.ended_at.is_some()), (EmergencyState::Denied, true));
    for refused in [cleo.emergency_access().deny(request.id).await, place.ada.emergency_access().approve(request.id).await] {
        assert_eq!(reason(refused), "request_over");
    }
    assert_eq!(reason(bob.emergency_access().cancel(request.id).await), "request_over");

    let granted = place.granted(&bob, [&place.ada, &cleo]).await;
    place.ada.emergency_access().deny(granted.id).await.expect("a grant is taken back");
    assert_eq!(reason(bob.emergency_access().reveal(granted.id).await), "request_over");

    let dan = place.joins("dan", Role::Admin).await;
    for _ in 0..5 {
        let request = place.request(&bob).await;
        place.ada.emergency_access().approve(request.id).await.unwrap();
        let (approve, deny) = (cleo.emergency_access(), dan.emergency_access());
        let (_, denied) = tokio::join!(approve.approve(request.id), deny.deny(request.id));
        assert_eq!(denied.unwrap().state, EmergencyState::Denied);
        assert_eq!(reason(bob.emergency_access().reveal(request.id).await), "request_over");
    }
});

on_both!(p41_an_approver_who_lost_the_role_does_not_count, |database| async move {
    let place = Place::open(&database).await;
    let bob = place.joins("bob", Role::Admin).await;
    let cleo = place.joins("cleo", Role::Admin).await;
    let dan = place.joins("dan", Role::Admin).await;
    let request = place.request(&bob).await;
    cleo.emergency_access().approve(request.id).await.unwrap();
    place.becomes("cleo", Role::Member).await;
    let seen = place.ada.emergency_access().approve(request.id).await.unwrap();
    assert_eq!((seen.state, seen.approvals.len()), (EmergencyState::Pending, 2), "Cleo runs the workspace no more");
    // Her access token says that she does.
    assert_eq!(reason(cleo.emergency_access().approve(request.id).await), "not_an_admin");
    assert_eq!(reason(cleo.emergency_access().deny(request.id).await), "not_an_admin");
    assert_eq!(dan.emergency_access().approve(request.id).await.unwrap().state, EmergencyState::Granted);

    // Once more, when the secret is to be revealed.
    place.leaves("dan").await;
    assert_eq!(reason(dan.emergency_access().deny(request.id).await), "not_a_member");
    let error = bob.emergency_access().reveal(request.id).await.err().unwrap();
    assert_eq!((error.kind(), error.reason()), (ErrorKind::Conflict, "approvals_lapsed"));
    assert_eq!(place.state(request.id).await, EmergencyState::Granted, "nothing was spent");
    place.becomes("cleo", Role::Admin).await;
    bob.emergency_access().reveal(request.id).await.expect("Ada and Cleo have approved it");
});

on_both!(a_disabled_approver_does_not_count, |database| async move {
    let place = Place::open(&database).await;
    let bob = place.joins("bob", Role::Admin).await;
    let cleo = place.joins("cleo", Role::Admin).await;
    let granted = place.granted(&bob, [&place.ada, &cleo]).await;
    place.run("UPDATE atom_users SET disabled_at = created_at WHERE email = 'cleo@example.com'".into()).await;
    assert_eq!(reason(bob.emergency_access().reveal(granted.id).await), "approvals_lapsed");
});

on_both!(a_request_can_be_withdrawn_and_its_grant_too, |database| async move {
    let place = Place::open(&database).await;
    let bob = place.joins("bob", Role::Admin).await;
    let cleo = place.joins("cleo", Role::Admin).await;
    let request = place.request(&bob).await;
    assert_eq!(bob.emergency_access().cancel(request.id).await.unwrap().state, EmergencyState::Cancelled);
    assert_eq!(reason(place.ada.emergency_access().approve(request.id).await), "request_over");
    let granted = place.granted(&bob, [&place.ada, &cleo]).await;
    bob.emergency_access().cancel(granted.id).await.unwrap();
    assert_eq!(reason(bob.emergency_access().reveal(granted.id).await), "request_over");
    assert_eq!(place.told().await, ["requested", "cancelled", "requested", "approved", "approved", "granted", "cancelled"]);
});

on_both!(what_nobody_approves_or_uses_in_time_expires, |database| async move {
    let place = Place::open(&database).await;
    let bob = place.joins("bob", Role::Admin).await;
    let cleo = place.joins("cleo", Role::Admin).await;
    let pending = place.request(&bob).await;
    place.ada.emergency_access().approve(pending.id).await.unwrap();
    place.clock.advance(TimeDelta::hours(24));
    // Whether or not a worker has noted it.
    assert_eq!(place.state(pending.id).await, EmergencyState::Expired);
    for refused in [cleo.emergency_access().approve(pending.id).await, cleo.emergency_access().deny(pending.id).await] {
        assert_eq!(reason(refused), "request_over");
    }
    let granted = place.granted(&bob, [&place.ada, &cleo]).await;
    place.clock.advance(TimeDelta::minutes(29));
    assert_eq!(place.state(granted.id).await, EmergencyState::Granted);
    place.clock.advance(TimeDelta::minutes(2));
    assert_eq!(reason(bob.emergency_access().reveal(granted.id).await), "request_over");

    let elsewhere = place.elsewhere().await;
    let workers = [
        place.atom.start_worker(Default::default(), None).await.unwrap(),
        elsewhere.start_worker(Default::default(), None).await.unwrap(),
    ];
    let start = Instant::now();
    while place.told().await.iter().filter(|name| *name == "expired").count() < 2 {
        assert!(start.elapsed() < Duration::from_secs(30), "{:?}", place.told().await);
        tokio::time::sleep(Duration::from_millis(10)).await;
    }
    for worker in workers {
        worker.stop().await.unwrap();
    }
    let expected = ["requested", "approved", "requested", "approved", "approved", "granted", "expired", "expired"];
    assert_eq!(place.told().await, expected, "each once, however many workers look");
    assert_eq!(place.actions(pending.id).await.last(), Some(&AuditAction::EmergencyExpired));

    // What ended long ago is forgotten, with its reason.
    place.clock.advance(TimeDelta::days(91));
    let worker = place.atom.start_worker(Default::default(), None).await.unwrap();
    let start = Instant::now();
    while place.ada.emergency_access().get(granted.id).await.is_ok() {
        assert!(start.elapsed() < Duration::from_secs(30));
        tokio::time::sleep(Duration::from_millis(10)).await;
    }
    worker.stop().await.unwrap();
});
