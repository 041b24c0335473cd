//! Users who are erased: what goes, what stays, who cannot be, and what a process that dies leaves to others.

use super::*;
use crate::factors::add_app;
use crate::mail::Letters;
use crate::workspaces::token;
use atom_core::testing::GoogleStandIn;
use chrono::TimeDelta;

const ADDRESS: &str = "ada.lovelace@example.com";
const NAME: &str = "Ada Lovelace-Byron";

on_both!(p38_nothing_of_an_erased_user_is_in_any_table, |database| async move {
    let (letters, clock) = (Letters::taking(), TestClock::new());
    let google = GoogleStandIn::start().await.unwrap();
    let builder = letters.on(database.builder()).clock(clock.clone()).provider(google.app());
    let atom = builder.open().await.unwrap();
    let new = NewAccount {
        display_name: Some(NAME.into()),
        workspace_name: Some("Engines".into()),
        client: Some(Client { device_name: Some(format!("{NAME}'s phone")), ..Default::default() }),
        ..account(ADDRESS)
    };
    let session = atom.accounts().sign_up(new).await.unwrap();
    let scope = atom.authenticate(session.access_token.clone()).await.unwrap();
    let id = session.user.id;
    let (bob_session, bob) = sign_up(&atom, "bob@example.com").await;

    // Whatever can hold something of her, in her own workspace and in Bob's.
    let invitation = || NewInvitation { email: ADDRESS.into(), role: Role::Member, locale: None };
    bob.invitations().create(invitation()).await.unwrap();
    scope.invitations().accept(token(&letters.nth(MailKind::Invite, 1).await)).await.unwrap();
    let (_, eve) = sign_up(&atom, "eve@example.com").await;
    eve.invitations().create(invitation()).await.unwrap();
    let there = scope.workspaces().switch_to(bob_session.workspace.id).await.unwrap();
    let there = atom.authenticate(there.access_token).await.unwrap();
    for scope in [&scope, &there] {
        connect(scope, &google, "ada.lovelace@gmail.example").await;
        let key = NewServiceKey {
            service: "openai".into(),
            name: Some(NAME.into()),
            value: "sk-proj-0123456789abcdefghij".into(),
            hosts: Some(vec!["api.openai.com".into()]),
            ..Default::default()
        };
        let key = scope.service_keys().create(key).await.unwrap();
        let reason = format!("{NAME} has lost it");
        let request = NewEmergencyAccess { service_key_id: Some(key.id), reason, ..Default::default() };
        scope.emergency_access().request(request).await.unwrap();
        let data = metadata(json!({ "to": NAME, "email": ADDRESS }));
        let event = PublishEvent { name: "parcel.sent".into(), user_id: Some(id), data, ..Default::default() };
        scope.events().publish(event).await.unwrap();
        let data = metadata(json!({ "name": NAME }));
        let event = PublishEvent { name: "person.seen".into(), subject: Some(id.to_string()), data, ..Default::default() };
        scope.events().publish(event).await.unwrap();
    }
    let (_, _) = add_app(&scope, &clock).await;
    let patch = ProfilePatch { user_metadata: metadata(json!({ "nick": NAME })), ..Default::default() };
    scope.profile().update(patch).await.unwrap();
    let request = EmailSignIn { email: ADDRESS.into(), ..Default::default() };
    atom.accounts().request_code(request).await.unwrap();
    scope.profile().export_data().await.unwrap();
    let found = tables_with(&database, NAME).await;
    assert!(found.len() >= 3, "the search finds something: {found:?}");
    assert!(!tables_with(&database, ADDRESS).await.is_empty());
    for _ in 0..500 {
        if number(&database, "SELECT count(*) FROM atom_mails WHERE state = 'queued'").await == 0 {
            break;
        }
        tokio::time::sleep(std::time::Duration::from_millis(10)).await;
    }

    atom.users().erase(id).await.unwrap();
    for text in ["ada.lovelace", "Lovelace-Byron"] {
        let found = tables_with(&database, text).await;
        assert!(found.is_empty(), "{text} is in {found:?}");
    }
    for table in ["atom_emergency_requests", "atom_totps", "atom_recovery_codes", "atom_connections", "atom_service_keys"] {
        assert_eq!(number(&database, format!("SELECT count(*) FROM {table}")).await, 0, "{table}");
    }
    assert_eq!(google.hits("/revoke".into()).await.unwrap(), 2, "both grants are withdrawn");
    assert_eq!(number(&database, "SELECT count(*) FROM atom_workspaces WHERE name = 'Engines'").await, 0, "hers went with her");
    assert_eq!(reason(atom.accounts().refresh(session.refresh_token).await), "invalid_refresh_token");
    assert_eq!(reason(atom.authenticate_live(session.access_token).await), "session_revoked");
    assert_eq!(reason(atom.users().get(id).await), "not_found");
    assert_eq!(reason(atom.users().erase(id).await), "not_found", "once");
    assert_eq!(reason(atom.accounts().sign_in(credentials(ADDRESS, PASSWORD)).await), "wrong_credentials");
    assert_eq!(reason(atom.accounts().sign_in(credentials(&id.to_string(), PASSWORD)).await), "wrong_credentials");

    // The logs of others go on, without a gap and as they were.
    assert_eq!(bob.audit().verify(None).await.unwrap().problem, None);
    let events = bob.events().list(EventFilter { page_size: Some(1000), ..Default::default() }).await.unwrap().items;
    let sequences: Vec<_> = events.iter().map(|event| event.sequence).collect();
    assert_eq!(sequences, (1..=i64::try_from(events.len()).unwrap()).collect::<Vec<_>>());
    let left = events.iter().rfind(|event| event.name == "member.left").unwrap();
    assert_eq!((&left.data.0["reason"], &left.data.0["user_id"]), (&json!("erased"), &json!(id)));
    assert!(events.iter().filter(|event| event.name == "parcel.sent").all(|event| event.data.0 == json!({})));
    assert_eq!(bob.members().list(MemberFilter::default()).await.unwrap().items.len(), 1);
    let log = atom.keys().audit(AuditFilter { action: Some(AuditAction::UserErased), ..Default::default() }).await.unwrap();
    assert_eq!((log.items.len(), log.items[0].subject.clone(), log.items[0].user_id), (1, Some(id.to_string()), None));
    let (again, _) = sign_up(&atom, ADDRESS).await;
    assert_ne!(again.user.id, id, "her address is free");
});

on_both!(a_sole_owner_of_others_hands_the_workspace_on_first, |database| async move {
    let clock = TestClock::new();
    let atom = database.builder().clock(clock.clone()).open().await.unwrap();
    let (ada, owner) = sign_up(&atom, "ada@example.com").await;
    let engines = owner.workspaces().create(NewWorkspace { name: "Engines".into() }).await.unwrap();
    let bob = member(&database, &atom, &ada, "bob@example.com", Role::Member).await;
    for refused in [atom.users().erase(ada.user.id).await, owner.profile().delete_account().await] {
        let refused = refused.unwrap_err();
        assert_eq!((refused.code(), refused.reason()), ("conflict", "last_owner"));
        let text = refused.to_string();
        assert!(text.contains(&ada.workspace.id.to_string()) && !text.contains(&engines.id.to_string()), "{text}");
    }
    owner.profile().get().await.expect("nothing was done");
    assert_eq!(owner.workspaces().list().await.unwrap().len(), 2);

    clock.advance(TimeDelta::minutes(11));
    assert_eq!(reason(owner.profile().delete_account().await), "step_up_required");
    let absent = atom.act_as(ada.user.id, ada.workspace.id).await.unwrap();
    assert_eq!(reason(absent.profile().delete_account().await), "no_session");
    owner.step_up().with_password(PASSWORD.into()).await.unwrap();
    owner.workspaces().transfer_ownership(bob.principal().user_id).await.unwrap();
    owner.profile().delete_account().await.unwrap();
    assert_eq!(reason(owner.profile().get().await), "session_revoked");
    let names = atom.act_as(bob.principal().user_id, ada.workspace.id).await.unwrap();
    assert_eq!(names.workspaces().get().await.unwrap().name, "ada", "it stays with whoever is in it");
    assert_eq!(number(&database, "SELECT count(*) FROM atom_workspaces WHERE name = 'Engines'").await, 0);
    let log = atom.keys().audit(AuditFilter { action: Some(AuditAction::UserErased), ..Default::default() }).await.unwrap();
    assert_eq!((log.items[0].user_id, log.items[0].session_id), (Some(ada.user.id), None));
});

on_both!(an_erasure_that_was_cut_off_is_finished_by_a_worker_or_by_calling_again, |database| async move {
    let (atom, google) = database.with_google().await;
    let (ada, _) = sign_up(&atom, "ada@example.com").await;
    let bob = member(&database, &atom, &ada, "bob@example.com", Role::Member).await;
    let cleo = member(&database, &atom, &ada, "cleo@example.com", Role::Member).await;
    for (scope, email) in [(&bob, "bob@gmail.example"), (&cleo, "cleo@gmail.example")] {
        connect(scope, &google, email).await;
    }
    // As a process leaves it that dies after the commit.
    let cut = |now: &str| {
        format!(
            "UPDATE atom_users SET erased_at = {now}, disabled_at = {now}, email = 'gone ' || email, email_canonical = 'gone ' || email_canonical WHERE email <> 'ada@example.com';
             UPDATE atom_memberships SET leaving_at = {now} WHERE role = 'member'; UPDATE atom_workspaces SET closing_at = {now} WHERE name <> 'ada'"
        )
    };
    sql(&database, cut("1"), cut("now()")).await;
    assert_eq!(reason(atom.users().get(bob.principal().user_id).await), "not_found", "to everybody who asks");
    assert_eq!(reason(atom.users().enable(bob.principal().user_id).await), "not_found");
    let patch = UserPatch { display_name: Some("Bob".into()), ..Default::default() };
    assert_eq!(reason(atom.users().update(bob.principal().user_id, patch).await), "not_found");
    assert_eq!(reason(atom.users().export_user(bob.principal().user_id).await), "not_found");
    atom.users().erase(bob.principal().user_id).await.expect("it goes on where it was");
    assert_eq!(number(&database, "SELECT count(*) FROM atom_users").await, 2);
    let worker = atom.start_worker(Default::default(), None).await.unwrap();
    for _ in 0..500 {
        if number(&database, "SELECT count(*) FROM atom_users").await == 1 {
            break;
        }
        tokio::time::sleep(std::time::Duration::from_millis(20)).await;
    }
    worker.stop().await.unwrap();
    assert_eq!(number(&database, "SELECT count(*) FROM atom_users").await, 1);
    assert_eq!(number(&database, "SELECT count(*) FROM atom_memberships").await, 1);
    assert_eq!(number(&database, "SELECT count(*) FROM atom_workspaces").await, 1);
    assert_eq!(google.hits("/revoke".into()).await.unwrap(), 2);
});
