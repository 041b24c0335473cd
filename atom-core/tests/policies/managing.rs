//! Putting, listing and removing policies.

use super::*;

on_both!(a_policy_is_stored_replaced_and_removed, |database| async move {
    let place = Place::open(&database).await;
    let policies = place.scope.secret_policies();
    let new = NewSecretPolicy {
        actions: Some(vec![SecretAction::Export, SecretAction::Export]),
        providers: words(&["google", "slack"]),
        services: words(&["openai"]),
        connection_ids: Some(vec![place.connection.id()]),
        service_key_ids: Some(vec![place.key.id]),
        roles: Some(vec![Role::Guest]),
        user_ids: Some(vec![place.session.user.id]),
        purposes: words(&["sync"]),
        tools: words(&["crm.search"]),
        methods: words(&["GET", "POST"]),
        ..deny("everything")
    };
    let made = policies.put(new).await.unwrap();
    assert_eq!((made.actions.as_slice(), made.methods.len()), (&[SecretAction::Export][..], 2));
    assert_eq!((&made.connection_ids, &made.service_key_ids), (&vec![place.connection.id()], &vec![place.key.id]));
    assert_eq!(policies.get("everything".into()).await.unwrap(), made);
    place.clock.advance(chrono::TimeDelta::minutes(1));
    let again = policies.put(allow("everything")).await.unwrap();
    assert_eq!((again.effect, again.created_at, again.providers.is_empty()), (SecretEffect::Allow, made.created_at, true));
    assert!(again.updated_at > made.updated_at);
    let first = policies.put(deny("a-first-one")).await.unwrap();
    assert_eq!(policies.list().await.unwrap(), [first, again]);

    assert!(policies.remove("everything".into()).await.unwrap());
    assert!(!policies.remove("everything".into()).await.unwrap(), "there was none");
    assert!(!policies.remove("no\0name".into()).await.unwrap());
    assert_eq!(reason(policies.get("everything".into()).await), "not_found");
    assert_eq!(reason(policies.get("no\0name".into()).await), "not_found");

    let changed = place.entries(AuditAction::SecretPolicyChanged).await;
    let subjects: Vec<_> =
        changed.iter().map(|entry| (entry.subject.as_deref().unwrap(), entry.details["effect"].as_str())).collect();
    assert_eq!(subjects, [("everything", "deny"), ("everything", "allow"), ("a-first-one", "deny")]);
    assert!(changed[0].details["rule"].contains("crm.search"), "the log has what it was");
    assert_eq!(place.entries(AuditAction::SecretPolicyRemoved).await.len(), 1);
    let filter = EventFilter { names: Some(vec!["secret_policy.*".into()]), ..Default::default() };
    let events = place.scope.events().list(filter).await.unwrap().items;
    let names: Vec<_> = events.iter().map(|event| event.name.as_str()).collect();
    assert_eq!(names, ["secret_policy.changed", "secret_policy.changed", "secret_policy.changed", "secret_policy.removed"]);
});

on_both!(p22_policies_are_for_owners_and_admins, |database| async move {
    let place = Place::open(&database).await;
    place.put(deny("p")).await;
    let question = || SecretUse {
        target: SecretTarget::ServiceKey { service: "openai".into(), service_key_id: None },
        action: SecretAction::Export,
        user_id: None,
        role: None,
        purpose: None,
        method: None,
    };
    for (email, role) in [("bob@example.com", Role::Member), ("eve@example.com", Role::Guest)] {
        let policies = member(&database, &place.atom, &place.session, email, role).await.secret_policies();
        assert_eq!(reason(policies.put(allow("mine")).await), "not_an_admin");
        assert_eq!(reason(policies.list().await), "not_an_admin");
        assert_eq!(reason(policies.get("p".into()).await), "not_an_admin");
        assert_eq!(reason(policies.remove("p".into()).await), "not_an_admin");
        assert_eq!(reason(policies.explain(question()).await), "not_an_admin");
    }
    let admin = member(&database, &place.atom, &place.session, "mia@example.com", Role::Admin).await.secret_policies();
    admin.put(allow("mine")).await.unwrap();
    assert_eq!(admin.list().await.unwrap().len(), 2);
});

on_both!(p21_a_policy_is_not_there_in_another_workspace, |database| async move {
    let place = Place::open(&database).await;
    place.put(deny("nothing")).await;
    let (_, eve) = sign_up(&place.atom, "eve@example.com").await;
    assert_eq!(eve.secret_policies().list().await.unwrap(), []);
    assert!(!eve.secret_policies().remove("nothing".into()).await.unwrap());
    let connection = connect(&eve, &place.google, "eve@gmail.example").await;
    connection.access_token().await.expect("it is none of hers");
    eve.secret_policies().put(allow("nothing")).await.unwrap();
    assert_eq!(reason(place.connection.access_token().await), DENIED);
});

on_both!(what_is_no_policy_is_refused, |database| async move {
    let place = Place::open(&database).await;
    let policies = place.scope.secret_policies();
    let many = (0..51).map(|i| format!("p{i}")).collect();
    let wrong = [
        deny(""),
        deny("No Name"),
        deny(&"x".repeat(65)),
        NewSecretPolicy { providers: words(&["Google"]), ..deny("p") },
        NewSecretPolicy { services: words(&[""]), ..deny("p") },
        NewSecretPolicy { purposes: words(&["a b"]), ..deny("p") },
        NewSecretPolicy { tools: words(&["*"]), ..deny("p") },
        NewSecretPolicy { methods: words(&["get"]), ..deny("p") },
        NewSecretPolicy { methods: words(&["CONNECT"]), ..deny("p") },
        NewSecretPolicy { purposes: Some(many), ..deny("p") },
    ];
    for policy in wrong {
        assert_eq!(reason(policies.put(policy.clone()).await), "malformed_secret_policy", "{policy:?}");
    }
    assert_eq!(policies.list().await.unwrap(), []);
    for i in 0..100 {
        place.put(NewSecretPolicy { purposes: words(&["never"]), ..deny(&format!("p{i}")) }).await;
    }
    assert_eq!(reason(policies.put(deny("one-more")).await), "too_many_secret_policies");
    place.put(NewSecretPolicy { purposes: words(&["never"]), ..deny("p7") }).await;
});
