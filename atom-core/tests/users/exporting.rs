//! Everything that is held about a user, in one document.

use super::*;
use crate::factors::add_app;
use crate::mail::Letters;

on_both!(an_export_has_everything_and_no_secret, |database| async move {
    let (letters, clock) = (Letters::taking(), TestClock::new());
    let google = atom_core::testing::GoogleStandIn::start().await.unwrap();
    let builder = letters.on(database.builder()).clock(clock.clone()).provider(google.app());
    let atom = builder.open().await.unwrap();
    let account = NewAccount {
        display_name: Some("Ada".into()),
        workspace_name: Some("Engines".into()),
        client: Some(Client { device_name: Some("Ada's phone".into()), ..Default::default() }),
        ..account("ada@example.com")
    };
    let session = atom.accounts().sign_up(account).await.unwrap();
    let scope = atom.authenticate(session.access_token.clone()).await.unwrap();
    let (_, codes) = add_app(&scope, &clock).await;
    connect(&scope, &google, "ada@gmail.example").await;
    let value = "sk-proj-0123456789abcdefghij";
    let key = NewServiceKey {
        service: "openai".into(),
        value: value.into(),
        hosts: Some(vec!["api.openai.com".into()]),
        ..Default::default()
    };
    scope.service_keys().create(key).await.unwrap();
    let paid = PublishEvent {
        name: "order.paid".into(),
        user_id: Some(session.user.id),
        data: metadata(json!({ "sum": 7 })),
        ..Default::default()
    };
    scope.events().publish(paid).await.unwrap();
    scope.profile().update(ProfilePatch { user_metadata: metadata(one_key()), ..Default::default() }).await.unwrap();
    let (_, bob) = sign_up(&atom, "bob@example.com").await;
    let invitation = NewInvitation { email: "ada@example.com".into(), role: Role::Member, locale: None };
    bob.invitations().create(invitation).await.unwrap();
    let bobs = NewServiceKey {
        service: "stripe".into(),
        value: value.into(),
        hosts: Some(vec!["api.stripe.com".into()]),
        ..Default::default()
    };
    bob.service_keys().create(bobs).await.unwrap();

    let document = scope.profile().export_data().await.unwrap().0;
    let at = |pointer: &str| document.pointer(pointer).unwrap_or_else(|| panic!("{pointer} in {document:#}"));
    assert_eq!(at("/account/user/email"), "ada@example.com");
    assert_eq!(at("/account/user_metadata"), &one_key());
    assert_eq!(at("/workspaces/0/workspace/name"), "Engines");
    assert_eq!(at("/workspaces/0/role"), "owner");
    assert_eq!(at("/workspaces/0/connections/0/email"), "ada@gmail.example");
    assert_eq!(at("/workspaces/0/service_keys/0/service"), "openai");
    assert_eq!(at("/workspaces/0/service_keys").as_array().unwrap().len(), 1);
    assert_eq!(at("/sessions/0/client/device_name"), "Ada's phone");
    assert_eq!(at("/sessions/0/methods"), &json!(["password", "totp"]));
    assert_eq!(at("/factors/0/kind"), "totp");
    assert_eq!(at("/recovery_codes_left"), 10);
    assert_eq!(at("/invitations/0/email"), "ada@example.com");
    assert_eq!(at("/mails/0/kind"), "factor_changed");
    assert_eq!(at("/jobs"), &json!([]));
    let events: Vec<_> = at("/events").as_array().unwrap().iter().map(|event| event["name"].as_str().unwrap()).collect();
    assert!(events.contains(&"user.signed_up") && events.contains(&"order.paid"), "{events:?}");
    let acts: Vec<_> = at("/audit").as_array().unwrap().iter().map(|entry| entry["action"].as_str().unwrap()).collect();
    assert!(acts.contains(&"signed_up") && acts.contains(&"connected"), "{acts:?}");

    // In each language it is a plain value, so it is safe to show.
    let text = document.to_string();
    for secret in [value, PASSWORD, "argon2", "stripe", session.refresh_token.expose(), codes[0].expose()] {
        assert!(!text.contains(secret), "{secret}");
    }
    let by_operator = atom.users().export_user(session.user.id).await.unwrap().0;
    assert_eq!(by_operator["account"], document["account"]);
    let filter = AuditFilter { action: Some(AuditAction::UserExported), ..Default::default() };
    let entries = scope.audit().list(filter).await.unwrap().items;
    assert_eq!(entries.iter().map(|entry| entry.user_id).collect::<Vec<_>>(), [None, Some(session.user.id)]);
    assert_eq!(reason(atom.users().export_user(UserId::generate()).await), "not_found");
});
