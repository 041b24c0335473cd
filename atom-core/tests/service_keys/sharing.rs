//! Who sees, uses and manages which keys.

use super::*;

/// What every method says to somebody.
async fn verdicts(place: &Place, keys: &ServiceKeys, key: &ServiceKey) -> Vec<Result<(), &'static str>> {
    let rename = ServiceKeyPatch { name: Some(uuid::Uuid::new_v4().to_string()), ..patch(key) };
    let verdicts = [
        keys.get(key.id).await.map(drop),
        keys.request(key.id, place.get("/")).await.map(drop),
        keys.reveal(key.id).await.map(drop),
        keys.rotate(key.id, next(key, 0)).await.map(drop),
        keys.update(key.id, rename).await.map(drop),
    ];
    verdicts.into_iter().map(|verdict| verdict.map_err(|e| e.reason())).collect()
}

on_both!(p21_a_users_own_key_is_there_for_nobody_else, |database| async move {
    let place = Place::open(&database).await;
    let made = place.keys().create(NewServiceKey { exportable: Some(true), ..place.key() }).await.unwrap();
    // Not even for somebody who runs the workspace.
    let bob = place.bob(&database, Role::Admin).await;
    assert_eq!(verdicts(&place, &bob, &made).await, [Err("not_found"); 5]);
    assert_eq!(bob.list(ServiceKeyFilter::default()).await.unwrap().items, []);
    bob.remove(made.id).await.expect("there is nothing to remove");
    bob.create(place.key()).await.expect("the name is Bob's to give, too");
    assert_eq!(place.keys().get(made.id).await.unwrap(), made);
    assert_eq!(place.service.received().len(), 0);
});

on_both!(p21_a_key_is_not_there_in_another_workspace, |database| async move {
    let place = Place::open(&database).await;
    let (_, eve) = sign_up(&place.atom, "eve@example.com").await;
    for owner in [ServiceKeyOwner::User, ServiceKeyOwner::Workspace] {
        let new = NewServiceKey { owner: Some(owner), exportable: Some(true), ..place.key() };
        let made = place.keys().create(new).await.unwrap();
        assert_eq!(verdicts(&place, &eve.service_keys(), &made).await, [Err("not_found"); 5]);
        eve.service_keys().remove(made.id).await.expect("there is nothing to remove");
        assert_eq!(place.keys().get(made.id).await.unwrap(), made);
    }
    assert_eq!(eve.service_keys().list(ServiceKeyFilter::default()).await.unwrap().items, []);
});

on_both!(p21_nor_is_a_users_own_key_in_another_workspace_of_theirs, |database| async move {
    let place = Place::open(&database).await;
    let (bob, scope) = sign_up(&place.atom, "bob@example.com").await;
    let made = scope.service_keys().create(place.key()).await.unwrap();
    join(&database, "bob@example.com", Role::Owner).await;
    let elsewhere = place.atom.act_as(bob.user.id, place.session.workspace.id).await.unwrap().service_keys();
    assert_eq!(reason(elsewhere.get(made.id).await), "not_found");
});

on_both!(p22_members_use_the_workspaces_keys_and_owners_and_admins_manage_them, |database| async move {
    let place = Place::open(&database).await;
    let shared = || NewServiceKey { owner: Some(ServiceKeyOwner::Workspace), exportable: Some(true), ..place.key() };
    let made = place.keys().create(shared()).await.unwrap();
    assert_eq!(made.user_id, None);

    let bob = place.bob(&database, Role::Member).await;
    let denied = Err("not_an_admin");
    assert_eq!(verdicts(&place, &bob, &made).await, [Ok(()), Ok(()), denied, denied, denied]);
    assert_eq!(reason(bob.remove(made.id).await), "not_an_admin");
    assert_eq!(reason(bob.create(NewServiceKey { name: Some("mine".into()), ..shared() }).await), "not_an_admin");
    assert_eq!(bob.list(ServiceKeyFilter::default()).await.unwrap().items.len(), 1);
    assert_eq!(place.keys().get(made.id).await.unwrap().revision, 1);
});

on_both!(p22_an_admin_manages_the_workspaces_keys, |database| async move {
    let place = Place::open(&database).await;
    let bob = place.bob(&database, Role::Admin).await;
    let new = NewServiceKey { owner: Some(ServiceKeyOwner::Workspace), exportable: Some(true), ..place.key() };
    let made = bob.create(new).await.unwrap();
    assert_eq!(verdicts(&place, &bob, &made).await, [Ok(()), Ok(()), Ok(()), Ok(()), Err("service_key_changed")]);
    bob.remove(made.id).await.unwrap();
    assert_eq!(reason(place.keys().get(made.id).await), "not_found");
});

on_both!(p22_a_guest_has_keys_of_their_own_and_sees_no_others, |database| async move {
    let place = Place::open(&database).await;
    let new = NewServiceKey { owner: Some(ServiceKeyOwner::Workspace), exportable: Some(true), ..place.key() };
    let made = place.keys().create(new).await.unwrap();
    let bob = place.bob(&database, Role::Guest).await;
    assert_eq!(verdicts(&place, &bob, &made).await, [Err("not_found"); 5]);
    let own = bob.create(place.key()).await.unwrap();
    assert_eq!(bob.list(ServiceKeyFilter::default()).await.unwrap().items, std::slice::from_ref(&own));
    bob.request(own.id, place.get("/")).await.unwrap();
});

on_both!(a_users_own_keys_go_with_their_membership, |database| async move {
    let place = Place::open(&database).await;
    let bob = place.bob(&database, Role::Member).await;
    let made = bob.create(place.key()).await.unwrap();
    let statement = "DELETE FROM atom_memberships WHERE role = 'member'";
    sql(&database, "PRAGMA foreign_keys = ON; DELETE FROM atom_memberships WHERE role = 'member'", statement).await;
    assert_eq!(reason(bob.get(made.id).await), "not_found");
});
