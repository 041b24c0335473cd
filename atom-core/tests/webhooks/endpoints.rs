//! Managing endpoints: who may, what is refused, what is logged, and how keys are kept.

use super::*;

on_both!(an_endpoint_is_added_changed_switched_off_and_on_and_removed, |database| async move {
    let place = Place::without_a_worker(&database).await;
    let webhooks = place.webhooks();
    let made = place.endpoint().await;
    assert!(made.is_enabled && made.event_names.is_empty() && made.signing == WebhookSigning::Hmac);
    assert_eq!(webhooks.list().await.unwrap(), std::slice::from_ref(&made));

    let patch = WebhookEndpointPatch {
        event_names: Some(vec!["order.*".into()]),
        description: Some(" shop ".into()),
        ..Default::default()
    };
    let changed = webhooks.update(made.id, patch).await.unwrap();
    assert_eq!((changed.event_names.as_slice(), changed.description.as_deref()), (&["order.*".to_owned()][..], Some("shop")));
    assert_eq!(changed.url, made.url);
    let cleared = WebhookEndpointPatch { event_names: Some(vec![]), description: Some(String::new()), ..Default::default() };
    let cleared = webhooks.update(made.id, cleared).await.unwrap();
    assert_eq!((cleared.event_names.len(), cleared.description), (0, None));
    webhooks.update(made.id, WebhookEndpointPatch::default()).await.expect("nothing to change is no change");

    assert!(!webhooks.disable(made.id).await.unwrap().is_enabled);
    assert_eq!(webhooks.disable(made.id).await.unwrap().disabled_because, None);
    assert!(webhooks.enable(made.id).await.unwrap().is_enabled);
    webhooks.remove(made.id).await.unwrap();
    webhooks.remove(made.id).await.expect("twice is no error");
    assert_eq!(webhooks.list().await.unwrap(), []);

    use AuditAction::*;
    let expected = [SignedUp, WebhookAdded, WebhookChanged, WebhookChanged, WebhookChanged, WebhookChanged, WebhookRemoved];
    assert_eq!(place.actions().await, expected);
});

on_both!(the_log_names_the_host_and_not_the_secrets_of_a_path, |database| async move {
    let place = Place::without_a_worker(&database).await;
    let secret = "https://hooks.example.com/services/T0/B0/hush?token=hush";
    let made = place.webhooks().create(endpoint(secret.into())).await.unwrap();
    place.webhooks().rotate_key(made.id, None, None).await.unwrap();
    place.webhooks().verification_key(made.id).await.unwrap();
    let entries = place.scope.audit().list(AuditFilter::default()).await.unwrap().items;
    assert!(!format!("{entries:?}").contains("hush"), "{entries:?}");
    assert_eq!(entries[2].details["host"], "hooks.example.com");
    assert_eq!((entries[1].action, entries[0].action), (AuditAction::WebhookKeyRotated, AuditAction::WebhookKeyRevealed));
    assert_eq!(entries[0].subject, Some(made.id.to_string()));
});

on_both!(p27_urls_into_networks_are_refused_when_an_endpoint_is_made_or_changed, |database| async move {
    let atom = database.open().await;
    let (_, scope) = sign_up(&atom, "ada@example.com").await;
    let webhooks = scope.webhooks();
    let made = webhooks.create(endpoint("https://hooks.example.com/x".into())).await.unwrap();
    for (url, reason) in [
        ("http://hooks.example.com/x", "malformed_webhook_url"),
        ("https://user:pass@hooks.example.com/", "malformed_webhook_url"),
        ("hooks", "malformed_webhook_url"),
        ("http://127.0.0.1:8080/", "malformed_webhook_url"),
        ("https://127.0.0.1/", "address_not_public"),
        ("https://localhost/", "address_not_public"),
        ("https://169.254.169.254/latest/meta-data", "address_not_public"),
        ("https://0xa9fea9fe/", "address_not_public"),
        ("https://[::ffff:10.0.0.1]/", "address_not_public"),
    ] {
        let error = webhooks.create(endpoint(url.into())).await.unwrap_err();
        assert_eq!((error.kind(), error.reason()), (ErrorKind::Invalid, reason), "{url}");
        let patch = WebhookEndpointPatch { url: Some(url.into()), ..Default::default() };
        assert_eq!(webhooks.update(made.id, patch).await.unwrap_err().reason(), reason, "{url}");
    }
    assert_eq!(webhooks.list().await.unwrap().len(), 1);
});

on_both!(bad_input_is_refused_with_its_reason, |database| async move {
    let place = Place::without_a_worker(&database).await;
    let (webhooks, url) = (place.webhooks(), place.receiver.url("/"));
    let base = || endpoint(url.clone());
    let wrong = [
        (NewWebhookEndpoint { event_names: Some(vec!["Order".into()]), ..base() }, "malformed_event_name"),
        (NewWebhookEndpoint { event_names: Some(vec!["order.paid".into(); 101]), ..base() }, "malformed_event_name"),
        (NewWebhookEndpoint { description: Some("x".repeat(501)), ..base() }, "malformed_description"),
        (NewWebhookEndpoint { key: Some("whsec_dG9vIHNob3J0".into()), ..base() }, "malformed_webhook_secret"),
        (
            NewWebhookEndpoint {
                key: Some("whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw".into()),
                signing: Some(WebhookSigning::KeyPair),
                ..base()
            },
            "malformed_webhook_secret",
        ),
    ];
    for (new, reason) in wrong {
        assert_eq!(webhooks.create(new).await.unwrap_err().reason(), reason);
    }
    let made = place.endpoint().await;
    for overlap in [-1, 30 * 86400 + 1] {
        assert_eq!(webhooks.rotate_key(made.id, Some(overlap), None).await.err().unwrap().reason(), "malformed_overlap");
    }
    for _ in 1..50 {
        place.endpoint().await;
    }
    assert_eq!(webhooks.create(base()).await.unwrap_err().reason(), "too_many_webhook_endpoints");
    let filter = WebhookDeliveryFilter { page_size: Some(0), ..Default::default() };
    assert_eq!(webhooks.deliveries(filter).await.unwrap_err().reason(), "malformed_page_size");
    let filter = WebhookDeliveryFilter { cursor: Some("x".into()), ..Default::default() };
    assert_eq!(webhooks.deliveries(filter).await.unwrap_err().reason(), "malformed_cursor");
});

on_both!(p22_members_guests_and_other_workspaces_reach_no_webhooks, |database| async move {
    let place = Place::without_a_worker(&database).await;
    let made = place.endpoint().await;
    let ping = place.webhooks().ping(made.id).await.unwrap();
    for (role, may) in [("admin", true), ("member", false), ("guest", false), ("owner", true)] {
        let statement: &'static str = match role {
            "admin" => "UPDATE atom_memberships SET role = 'admin'",
            "member" => "UPDATE atom_memberships SET role = 'member'",
            "guest" => "UPDATE atom_memberships SET role = 'guest'",
            _ => "UPDATE atom_memberships SET role = 'owner'",
        };
        sql(&database, statement, statement).await;
        let (user, workspace) = (place.session.user.id, place.session.workspace.id);
        let webhooks = place.atom.act_as(user, workspace).await.unwrap().webhooks();
        let verdicts = [
            webhooks.list().await.map(drop),
            webhooks.get(made.id).await.map(drop),
            webhooks.update(made.id, WebhookEndpointPatch::default()).await.map(drop),
            webhooks.enable(made.id).await.map(drop),
            webhooks.verification_key(made.id).await.map(drop),
            webhooks.rotate_key(made.id, None, None).await.map(drop),
            webhooks.deliveries(WebhookDeliveryFilter::default()).await.map(drop),
            webhooks.attempts(ping.id).await.map(drop),
            webhooks.resend(ping.id).await.map(drop),
            webhooks.replay(made.id, ping.created_at).await.map(drop),
            webhooks.ping(made.id).await.map(drop),
        ];
        for (i, verdict) in verdicts.into_iter().enumerate() {
            assert_eq!(verdict.map_err(|e| e.reason()), if may { Ok(()) } else { Err("not_an_admin") }, "{role} {i}");
        }
    }
    let (_, bob) = sign_up(&place.atom, "bob@example.com").await;
    let webhooks = bob.webhooks();
    let verdicts = [
        webhooks.get(made.id).await.map(drop),
        webhooks.update(made.id, WebhookEndpointPatch::default()).await.map(drop),
        webhooks.enable(made.id).await.map(drop),
        webhooks.disable(made.id).await.map(drop),
        webhooks.verification_key(made.id).await.map(drop),
        webhooks.rotate_key(made.id, None, None).await.map(drop),
        webhooks.attempts(ping.id).await.map(drop),
        webhooks.resend(ping.id).await.map(drop),
        webhooks.replay(made.id, ping.created_at).await.map(drop),
        webhooks.ping(made.id).await.map(drop),
    ];
    for (i, verdict) in verdicts.into_iter().enumerate() {
        assert_eq!(verdict.map_err(|e| e.kind()), Err(ErrorKind::NotFound), "{i}");
    }
    webhooks.remove(made.id).await.expect("there is nothing to remove");
    assert_eq!(webhooks.list().await.unwrap(), []);
    assert_eq!(place.webhooks().list().await.unwrap().len(), 1);
});

on_both!(both_keys_sign_during_a_rotation_and_only_the_new_one_after_it, |database| async move {
    let place = Place::without_a_worker(&database).await;
    let (webhooks, made) = (place.webhooks(), place.endpoint().await);
    let first = webhooks.verification_key(made.id).await.unwrap();
    let second = webhooks.rotate_key(made.id, Some(600), None).await.unwrap();
    assert!(first != second && webhooks.verification_key(made.id).await.unwrap() == second);
    webhooks.ping(made.id).await.unwrap();
    let during = &place.receiver.wait_for(1).await[0];
    assert_eq!(during.headers["webhook-signature"].split(' ').count(), 2);
    assert!(genuine(vec![first.clone()], during).await && genuine(vec![second.clone()], during).await);

    // After a leak there is no overlap, and what was left of the first key is cut short with it.
    let third = webhooks.rotate_key(made.id, Some(0), None).await.unwrap();
    webhooks.ping(made.id).await.unwrap();
    let after = &place.receiver.wait_for(2).await[1];
    assert!(genuine(vec![third.clone()], after).await);
    assert!(!genuine(vec![first, second], after).await);

    // A key of the receiver's own, of the other kind.
    let own = "whsk_6Xb/dCcHpPea21PS1N9VY/NZW723CEc77N4rJCubMbfVKIDij2HKpMKkioLlX0dRqSKJp4AJ6p9lMicMFs6Kvg==";
    let public = webhooks.rotate_key(made.id, None, Some(own.into())).await.unwrap();
    assert_eq!(public.expose(), "whpk_1SiA4o9hyqTCpIqC5V9HUakiiaeACeqfZTInDBbOir4=");
    webhooks.ping(made.id).await.unwrap();
    let mixed = &place.receiver.wait_for(3).await[2];
    assert!(genuine(vec![public], mixed).await && genuine(vec![third], mixed).await);
    assert_eq!(place.get(made.id).await.signing, WebhookSigning::KeyPair);
});

on_both!(an_old_key_stops_signing_when_its_day_is_over, |database| async move {
    let place = Place::without_a_worker(&database).await;
    let (webhooks, made) = (place.webhooks(), place.endpoint().await);
    webhooks.rotate_key(made.id, None, None).await.unwrap();
    for (hours, keys) in [(23, 2), (2, 1)] {
        place.clock.advance(chrono::TimeDelta::hours(hours));
        webhooks.ping(made.id).await.unwrap();
        let received = place.receiver.received().pop().unwrap();
        assert_eq!(received.headers["webhook-signature"].split(' ').count(), keys);
    }
});

on_both!(of_two_rotations_at_once_one_is_told, |database| async move {
    let place = Place::without_a_worker(&database).await;
    let (webhooks, made) = (place.webhooks(), place.endpoint().await);
    let rotate = || webhooks.rotate_key(made.id, None, None);
    let (a, b) = tokio::join!(rotate(), rotate());
    for verdict in [&a, &b] {
        assert_eq!(
            verdict.as_ref().map(drop).map_err(|e| e.kind()).or_else(|kind| if kind == ErrorKind::Conflict {
                Ok(())
            } else {
                Err(kind)
            }),
            Ok(())
        );
    }
    let newest = webhooks.verification_key(made.id).await.unwrap();
    assert!([a, b].into_iter().flatten().any(|key| key == newest));
});

#[tokio::test]
async fn keys_are_not_in_the_database_in_the_clear() {
    let database = Database::sqlite();
    let place = Place::without_a_worker(&database).await;
    let given = "whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw";
    let new = NewWebhookEndpoint { key: Some(given.into()), ..endpoint(place.receiver.url("/")) };
    let made = place.webhooks().create(new).await.unwrap();
    assert_eq!(place.webhooks().verification_key(made.id).await.unwrap().expose(), given);
    place.atom.shut_down().await.unwrap();
    let raw = [49, 242, 144, 246, 191, 6, 41, 138, 171, 79];
    for entry in std::fs::read_dir(database.folder.path()).unwrap() {
        let bytes = std::fs::read(entry.unwrap().path()).unwrap();
        assert!(!bytes.windows(10).any(|w| w == &given.as_bytes()[6..16] || w == raw), "a key is readable");
    }
}
