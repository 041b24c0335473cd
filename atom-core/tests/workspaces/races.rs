//! What happens when everybody does it at once.

use super::*;

on_both!(p22_of_two_owners_who_leave_at_once_one_stays_two_hundred_times, |database| async move {
    // Two installations, as two processes have them.
    let (atom, other) = (database.open().await, database.open().await);
    let (ada, _) = sign_up(&atom, "ada@example.com").await;
    let bob = member(&database, &atom, &ada, "bob@example.com", Role::Owner).await.principal().user_id;
    for round in 0..200 {
        let one = atom.act_as(ada.user.id, ada.workspace.id).await.unwrap();
        let two = other.act_as(bob, ada.workspace.id).await.unwrap();
        let (ones, twos) = ((one.workspaces(), one.members()), (two.workspaces(), two.members()));
        let (one, two) = match round % 3 {
            0 => tokio::join!(ones.0.leave(), twos.0.leave()),
            1 => tokio::join!(ones.1.remove(bob), twos.1.remove(ada.user.id)),
            _ => {
                let demote = async { twos.1.set_role(bob, Role::Guest).await.map(drop) };
                tokio::join!(ones.0.leave(), demote)
            }
        };
        let owners = "SELECT count(*) FROM atom_memberships m JOIN atom_workspaces w ON w.id = m.workspace_id WHERE w.name = 'ada' AND m.role = 'owner'";
        assert_eq!(number(&database, owners).await, 1, "round {round}: {one:?} {two:?}");
        assert!(one.is_ok() != two.is_ok(), "round {round}: {one:?} {two:?}");
        let refused = one.as_ref().err().or(two.as_ref().err()).unwrap().reason();
        assert!(["last_owner", "not_a_member"].contains(&refused), "{refused}");
        sql(&database, "UPDATE atom_memberships SET role = 'owner'", "UPDATE atom_memberships SET role = 'owner'").await;
        // Whoever is still in it cannot join once more.
        for email in ["ada@example.com", "bob@example.com"] {
            join_as(&database, ada.workspace.id, email, Role::Owner).await.ok();
        }
    }
});

on_both!(p22_of_all_who_show_one_invitation_at_once_one_joins, |database| async move {
    let (letters, clock) = (Letters::taking(), TestClock::new());
    let atom = letters.on(database.builder().clock(clock.clone())).open().await.unwrap();
    let other = database.builder().clock(clock.clone()).open().await.unwrap();
    let (ada, _) = sign_up(&atom, "ada@example.com").await;
    let (bob, _) = sign_up(&atom, "bob@example.com").await;
    for round in 1..=40 {
        clock.advance(TimeDelta::hours(1));
        let owner = atom.act_as(ada.user.id, ada.workspace.id).await.unwrap();
        owner
            .invitations()
            .create(NewInvitation { email: "bob@example.com".into(), role: Role::Member, locale: None })
            .await
            .unwrap();
        let token = token(&letters.nth(MailKind::Invite, round).await);
        let tries = (0..4).map(|i| {
            let (atom, token, bob) = (if i % 2 == 0 { atom.clone() } else { other.clone() }, token.clone(), bob.clone());
            tokio::spawn(async move {
                let scope = atom.act_as(bob.user.id, bob.workspace.id).await.unwrap();
                scope.invitations().accept(token).await.map(drop)
            })
        });
        let mut won = 0;
        for result in tries.collect::<Vec<_>>() {
            match result.await.unwrap() {
                Ok(()) => won += 1,
                Err(error) => assert_eq!(error.reason(), "invitation_invalid"),
            }
        }
        assert_eq!(won, 1, "round {round}");
        owner.members().remove(bob.user.id).await.unwrap();
    }
});

on_both!(p22_seats_are_not_taken_twice, |database| async move {
    let letters = Letters::taking();
    let atom = letters.on(database.builder()).open().await.unwrap();
    let other = letters.on(database.builder()).open().await.unwrap();
    let (ada, _) = sign_up(&atom, "ada@example.com").await;
    atom.workspaces().set_seats(ada.workspace.id, Some(4)).await.unwrap();
    let tries = (0..12).map(|i| {
        let atom = if i % 2 == 0 { atom.clone() } else { other.clone() };
        tokio::spawn(async move {
            let owner = atom.act_as(ada.user.id, ada.workspace.id).await.unwrap();
            let new = NewInvitation { email: format!("guest{i}@example.com"), role: Role::Guest, locale: None };
            owner.invitations().create(new).await.map(drop)
        })
    });
    let mut invited = 0;
    for result in tries.collect::<Vec<_>>() {
        match result.await.unwrap() {
            Ok(()) => invited += 1,
            Err(error) => assert_eq!(error.reason(), "no_seats_left"),
        }
    }
    assert_eq!(invited, 3);
});
