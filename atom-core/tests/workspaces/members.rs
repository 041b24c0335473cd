//! Members: what they may do, and how they go.

use super::*;

on_both!(owners_and_admins_change_roles_and_nobody_above_their_own, |database| async move {
    let atom = database.open().await;
    let (ada, owner) = sign_up(&atom, "ada@example.com").await;
    let admin = member(&database, &atom, &ada, "bob@example.com", Role::Admin).await;
    let plain = member(&database, &atom, &ada, "cleo@example.com", Role::Member).await;
    let guest = member(&database, &atom, &ada, "dan@example.com", Role::Guest).await;
    let id = |scope: &Scope| scope.principal().user_id;

    let page = plain.members().list(MemberFilter { page_size: Some(3), ..Default::default() }).await.unwrap();
    assert_eq!(page.items.len(), 3);
    let rest = plain.members().list(MemberFilter { cursor: page.next_cursor, ..Default::default() }).await.unwrap();
    assert_eq!((rest.items.len(), rest.next_cursor), (1, None));
    let admins = plain.members().list(MemberFilter { role: Some(Role::Admin), ..Default::default() }).await.unwrap();
    assert_eq!(admins.items[0].email, "bob@example.com");
    assert_eq!(
        reason(plain.members().list(MemberFilter { page_size: Some(0), ..Default::default() }).await),
        "malformed_page_size"
    );
    assert_eq!(reason(guest.members().list(MemberFilter::default()).await), "guest");
    assert_eq!(reason(guest.members().get(id(&owner)).await), "guest");

    for scope in [&plain, &guest] {
        assert_eq!(reason(scope.members().set_role(id(&guest), Role::Member).await), "not_an_admin");
        assert_eq!(reason(scope.members().remove(id(&admin)).await), "not_an_admin");
    }
    assert_eq!(reason(admin.members().set_role(id(&plain), Role::Owner).await), "role_above_own");
    assert_eq!(reason(admin.members().set_role(id(&admin), Role::Owner).await), "role_above_own");
    assert_eq!(reason(admin.members().set_role(id(&owner), Role::Member).await), "role_above_own");
    assert_eq!(reason(admin.members().remove(id(&owner)).await), "role_above_own");
    assert_eq!(admin.members().set_role(id(&guest), Role::Member).await.unwrap().role, Role::Member);
    let (eve, _) = sign_up(&atom, "eve@example.com").await;
    assert_eq!(reason(admin.members().set_role(eve.user.id, Role::Member).await), "not_found");
    assert_eq!(reason(admin.members().remove(eve.user.id).await), "not_found");

    owner.members().set_role(id(&admin), Role::Guest).await.unwrap();
    assert_eq!(reason(admin.members().set_role(id(&plain), Role::Guest).await), "not_an_admin", "whatever the scope says");
    let filter = AuditFilter { action: Some(AuditAction::MemberRoleChanged), ..Default::default() };
    let entries = owner.audit().list(filter).await.unwrap().items;
    assert_eq!((entries.len(), entries[0].details["from"].as_str(), entries[0].details["to"].as_str()), (2, "admin", "guest"));
});

on_both!(p22_the_last_owner_neither_leaves_nor_steps_down, |database| async move {
    let atom = database.open().await;
    let (ada, owner) = sign_up(&atom, "ada@example.com").await;
    let bob = member(&database, &atom, &ada, "bob@example.com", Role::Member).await;
    let bob_id = bob.principal().user_id;
    assert_eq!(reason(owner.workspaces().leave().await), "last_owner");
    assert_eq!(reason(owner.members().remove(ada.user.id).await), "last_owner");
    assert_eq!(reason(owner.members().set_role(ada.user.id, Role::Admin).await), "last_owner");
    assert_eq!(reason(bob.workspaces().transfer_ownership(bob_id).await), "no_session");
    let signed_in = || async {
        let credentials = Credentials { workspace_id: Some(ada.workspace.id), ..credentials("bob@example.com", PASSWORD) };
        atom.accounts().sign_in(credentials).await.unwrap().signed_in().unwrap()
    };
    let session = signed_in().await;
    let bob = atom.authenticate(session.access_token.clone()).await.unwrap();
    assert_eq!(reason(bob.workspaces().transfer_ownership(bob_id).await), "not_an_owner");
    assert_eq!(reason(bob.workspaces().remove().await), "not_an_owner");

    owner.workspaces().transfer_ownership(bob_id).await.unwrap();
    let live = atom.authenticate_live(session.access_token).await.unwrap();
    assert_eq!(live.principal().role, Role::Owner, "at once");
    assert_eq!(owner.members().get(ada.user.id).await.unwrap().role, Role::Admin);
    assert_eq!(reason(bob.workspaces().leave().await), "last_owner");
    sql(&database, "UPDATE atom_memberships SET role = 'owner'", "UPDATE atom_memberships SET role = 'owner'").await;
    let disabled = |now: &str| format!("UPDATE atom_users SET disabled_at = {now} WHERE email = 'ada@example.com'");
    sql(&database, disabled("1"), disabled("now()")).await;
    assert_eq!(reason(bob.workspaces().leave().await), "last_owner", "an account that is disabled owns nothing");
});

on_both!(p38_whoever_is_removed_is_gone_at_once_with_what_is_theirs, |database| async move {
    let (atom, google) = database.with_google().await;
    let (ada, owner) = sign_up(&atom, "ada@example.com").await;
    member(&database, &atom, &ada, "bob@example.com", Role::Member).await;
    let credentials = Credentials { workspace_id: Some(ada.workspace.id), ..credentials("bob@example.com", PASSWORD) };
    let session = atom.accounts().sign_in(credentials).await.unwrap().signed_in().unwrap();
    let bob = atom.authenticate(session.access_token.clone()).await.unwrap();
    connect(&bob, &google, "bob@gmail.example").await;
    let adas = connect(&owner, &google, "ada@gmail.example").await;

    owner.members().remove(session.user.id).await.unwrap();
    assert_eq!(google.hits("/revoke".into()).await.unwrap(), 1);
    assert_eq!(reason(atom.authenticate_live(session.access_token).await), "session_revoked");
    assert_eq!(reason(atom.accounts().refresh(session.refresh_token).await), "invalid_refresh_token");
    assert_eq!(reason(atom.act_as(session.user.id, ada.workspace.id).await), "not_a_member");
    assert_eq!(reason(owner.members().get(session.user.id).await), "not_found");
    assert_eq!(reason(bob.workspaces().rename("mine".into()).await), "session_revoked");
    adas.files().list(ListFiles::default()).await.expect("the others go on");
    atom.accounts().sign_in(crate::support::credentials("bob@example.com", PASSWORD)).await.expect("in his own workspace");

    let left = owner.events().list(EventFilter { names: Some(vec!["member.left".into()]), ..Default::default() }).await.unwrap();
    assert_eq!((left.items.len(), left.items[0].data.0["reason"].as_str()), (1, Some("removed")));
    let entry =
        &owner.audit().list(AuditFilter { action: Some(AuditAction::MemberRemoved), ..Default::default() }).await.unwrap().items
            [0];
    assert_eq!((entry.user_id, entry.subject.as_deref()), (Some(ada.user.id), Some(session.user.id.to_string().as_str())));
});

on_both!(whoever_leaves_may_come_back, |database| async move {
    let atom = database.open().await;
    let (ada, _) = sign_up(&atom, "ada@example.com").await;
    let bob = member(&database, &atom, &ada, "bob@example.com", Role::Member).await;
    bob.workspaces().leave().await.unwrap();
    assert_eq!(reason(bob.workspaces().leave().await), "not_a_member");
    join(&database, "bob@example.com", Role::Guest).await;
    assert_eq!(bob.workspaces().list().await.unwrap().len(), 2);
});

on_both!(a_scope_for_one_purpose_decides_over_nobody, |database| async move {
    let atom = database.open().await;
    let (ada, owner) = sign_up(&atom, "ada@example.com").await;
    let bob = member(&database, &atom, &ada, "bob@example.com", Role::Member).await.principal().user_id;
    let bound = owner.for_purpose(Purpose { purpose: "sync".into(), tool: None }).await.unwrap();
    assert_eq!(reason(bound.members().set_role(bob, Role::Owner).await), "purpose_fixed");
    assert_eq!(reason(bound.members().remove(bob).await), "purpose_fixed");
    assert_eq!(reason(bound.workspaces().rename("x".into()).await), "purpose_fixed");
    assert_eq!(reason(bound.workspaces().leave().await), "purpose_fixed");
    assert_eq!(reason(bound.workspaces().create(NewWorkspace { name: "x".into() }).await), "purpose_fixed");
    assert_eq!(reason(bound.workspaces().switch_to(ada.workspace.id).await), "purpose_fixed");
    assert_eq!(reason(bound.workspaces().transfer_ownership(bob).await), "purpose_fixed");
    assert_eq!(reason(bound.workspaces().remove().await), "purpose_fixed");
    assert_eq!(reason(bound.invitations().accept("ati_".into()).await), "purpose_fixed");
});
