//! Invitations: whom they are for, how often and how long they are good for something, and how many.

use super::*;

fn invite(email: &str, role: Role) -> NewInvitation {
    NewInvitation { email: email.into(), role, locale: None }
}

fn accept(token: Secret) -> AcceptInvitation {
    AcceptInvitation { token, password: PASSWORD.into(), display_name: Some("Bob".into()), client: None }
}

struct Place {
    atom: Atom,
    letters: Letters,
    clock: TestClock,
    ada: Session,
    owner: Scope,
}

impl Place {
    async fn new(database: &Database) -> Self {
        let (letters, clock) = (Letters::taking(), TestClock::stopped());
        let atom = letters.on(database.builder().clock(clock.clone())).open().await.unwrap();
        let (ada, owner) = sign_up(&atom, "ada@example.com").await;
        Self { atom, letters, clock, ada, owner }
    }

    /// Invites somebody, with the so many-th letter.
    async fn invite(&self, email: &str, role: Role, letter: usize) -> (Invitation, Secret) {
        let invitation = self.owner.invitations().create(invite(email, role)).await.unwrap();
        (invitation, token(&self.letters.nth(MailKind::Invite, letter).await))
    }
}

on_both!(an_invitation_makes_an_account_with_a_verified_address_and_no_other_workspace, |database| async move {
    let place = Place::new(&database).await;
    let (invitation, token) = place.invite(" Bob@Example.com", Role::Admin, 1).await;
    assert_eq!((invitation.state, invitation.email.as_str()), (InvitationState::Pending, "Bob@Example.com"));
    let accounts = place.atom.accounts();
    let shown = accounts.invitation(token.clone()).await.unwrap();
    assert_eq!((shown.workspace_name.as_str(), shown.role, shown.has_account), ("ada", Role::Admin, false));
    assert_eq!((shown.email.as_str(), shown.expires_at), ("Bob@Example.com", invitation.expires_at));

    let weak = AcceptInvitation { password: "short".into(), ..accept(token.clone()) };
    assert_eq!(reason(accounts.accept_invitation(weak).await), "weak_password", "which spends nothing");
    let session = accounts.accept_invitation(accept(token.clone())).await.unwrap();
    assert_eq!((session.workspace.id, session.role, session.user.email_verified), (place.ada.workspace.id, Role::Admin, true));
    let scope = place.atom.authenticate_live(session.access_token).await.unwrap();
    assert_eq!(scope.workspaces().list().await.unwrap().len(), 1);
    accounts.sign_in(credentials("bob@example.com", PASSWORD)).await.unwrap();
    assert_eq!(reason(accounts.accept_invitation(accept(token.clone())).await), "invitation_invalid", "once");
    assert_eq!(reason(accounts.invitation(token).await), "invitation_invalid");

    let listed = place.owner.invitations().list(InvitationFilter::default()).await.unwrap().items;
    assert_eq!((listed[0].state, listed[0].accepted_by), (InvitationState::Accepted, Some(session.user.id)));
    let revoked = place.owner.invitations().revoke(invitation.id).await;
    assert_eq!(reason(revoked), "invitation_over");
    assert_eq!(reason(place.owner.invitations().resend(invitation.id).await), "invitation_over");
    assert_eq!(reason(place.owner.invitations().create(invite("BOB@example.com", Role::Guest)).await), "already_a_member");
});

on_both!(p22_an_invitation_is_for_the_account_of_its_address, |database| async move {
    let place = Place::new(&database).await;
    let (bob, bobs) = sign_up(&place.atom, "bob@example.com").await;
    let (_, eves) = sign_up(&place.atom, "eve@example.com").await;
    let (_, token) = place.invite("bob@example.com", Role::Guest, 1).await;
    assert!(place.atom.accounts().invitation(token.clone()).await.unwrap().has_account);
    assert_eq!(reason(place.atom.accounts().accept_invitation(accept(token.clone())).await), "email_taken");
    assert_eq!(reason(eves.invitations().accept(token.clone()).await), "invitation_for_another");
    let joined = bobs.invitations().accept(token.clone()).await.unwrap();
    assert_eq!((joined.workspace.id, joined.role), (place.ada.workspace.id, Role::Guest));
    assert_eq!(reason(bobs.invitations().accept(token).await), "invitation_invalid");
    let entered = bobs.workspaces().switch_to(joined.workspace.id).await.unwrap();
    assert_eq!((entered.user.id, entered.user.email_verified, entered.role), (bob.user.id, true, Role::Guest));
    let joined = EventFilter { names: Some(vec!["member.joined".into()]), ..Default::default() };
    assert_eq!(
        place.owner.events().list(joined).await.unwrap().items[0].subject.as_deref(),
        Some(bob.user.id.to_string().as_str())
    );
});

on_both!(p22_only_the_newest_token_counts_and_only_in_its_time, |database| async move {
    let place = Place::new(&database).await;
    let (_, bobs) = sign_up(&place.atom, "bob@example.com").await;
    let (first, one) = place.invite("bob@example.com", Role::Member, 1).await;
    let (second, two) = place.invite("bob@example.com", Role::Guest, 2).await;
    assert_eq!(reason(bobs.invitations().accept(one).await), "invitation_invalid");
    place.owner.invitations().resend(second.id).await.unwrap();
    let three = token(&place.letters.nth(MailKind::Invite, 3).await);
    assert_eq!(reason(bobs.invitations().accept(two).await), "invitation_invalid");
    let states: Vec<_> = place.owner.invitations().list(InvitationFilter::default()).await.unwrap().items;
    assert_eq!(
        states.iter().map(|i| (i.id, i.state)).collect::<Vec<_>>(),
        [(second.id, InvitationState::Pending), (first.id, InvitationState::Revoked)]
    );

    place.clock.advance(TimeDelta::days(7));
    assert_eq!(reason(bobs.invitations().accept(three).await), "invitation_invalid");
    let bobs = place.atom.act_as(bobs.principal().user_id, bobs.principal().workspace_id).await.unwrap();
    let owner = place.atom.act_as(place.ada.user.id, place.ada.workspace.id).await.unwrap();
    let expired = InvitationFilter { state: Some(InvitationState::Expired), ..Default::default() };
    assert_eq!(owner.invitations().list(expired).await.unwrap().items.len(), 1);
    let again = owner.invitations().resend(second.id).await.unwrap();
    assert_eq!(again.state, InvitationState::Pending);
    let four = token(&place.letters.nth(MailKind::Invite, 4).await);
    owner.invitations().revoke(second.id).await.unwrap();
    assert_eq!(owner.invitations().revoke(second.id).await.unwrap().state, InvitationState::Revoked, "twice is no error");
    let refused = bobs.invitations().accept(four).await.err().unwrap();
    for stranger in ["", "ati_", "ati_AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA"] {
        let unknown = bobs.invitations().accept(stranger.into()).await.err().unwrap();
        assert_eq!(format!("{unknown:?}"), format!("{refused:?}"), "one answer to all that is no open invitation");
    }
});

on_both!(p22_whoever_invites_gives_no_role_above_their_own, |database| async move {
    let place = Place::new(&database).await;
    let admin = member(&database, &place.atom, &place.ada, "bob@example.com", Role::Admin).await;
    let plain = member(&database, &place.atom, &place.ada, "cleo@example.com", Role::Member).await;
    assert_eq!(reason(plain.invitations().create(invite("dan@example.com", Role::Guest)).await), "not_an_admin");
    assert_eq!(reason(plain.invitations().list(InvitationFilter::default()).await), "not_an_admin");
    assert_eq!(reason(admin.invitations().create(invite("dan@example.com", Role::Owner)).await), "role_above_own");
    assert_eq!(reason(admin.invitations().create(invite("dan", Role::Guest)).await), "malformed_email");
    let owners = place.owner.invitations().create(invite("dan@example.com", Role::Owner)).await.unwrap();
    assert_eq!(reason(admin.invitations().resend(owners.id).await), "role_above_own");
    assert_eq!(reason(plain.invitations().revoke(owners.id).await), "not_an_admin");
    let (_, eve) = sign_up(&place.atom, "eve@example.com").await;
    assert_eq!(reason(eve.invitations().revoke(owners.id).await), "not_found", "in another workspace there is none");
    assert_eq!(reason(eve.invitations().resend(owners.id).await), "not_found");
});

on_both!(p22_open_invitations_hold_seats, |database| async move {
    let place = Place::new(&database).await;
    assert_eq!(reason(place.atom.workspaces().set_seats(place.ada.workspace.id, Some(0)).await), "malformed_seats");
    place.atom.workspaces().set_seats(place.ada.workspace.id, Some(2)).await.unwrap();
    let (bob, token) = place.invite("bob@example.com", Role::Member, 1).await;
    let cleo = || invite("cleo@example.com", Role::Member);
    assert_eq!(reason(place.owner.invitations().create(cleo()).await), "no_seats_left");
    place.owner.invitations().resend(bob.id).await.expect("it holds its seat already");
    assert_eq!(place.owner.workspaces().seats().await.unwrap(), WorkspaceSeats { limit: Some(2), members: 1, invitations: 1 });
    let token = match place.atom.accounts().invitation(token).await {
        Ok(_) => panic!("the first token counts no more"),
        Err(_) => super::token(&place.letters.nth(MailKind::Invite, 2).await),
    };
    place.atom.workspaces().set_seats(place.ada.workspace.id, Some(1)).await.unwrap();
    assert_eq!(reason(place.atom.accounts().accept_invitation(accept(token.clone())).await), "no_seats_left");
    place.atom.workspaces().set_seats(place.ada.workspace.id, None).await.unwrap();
    place.owner.invitations().create(cleo()).await.expect("no limit");
    place.atom.accounts().accept_invitation(accept(token)).await.expect("the refusal spent nothing");
});

on_both!(nobody_is_flooded_with_invitations, |database| async move {
    let place = Place::new(&database).await;
    for _ in 0..5 {
        place.owner.invitations().create(invite("bob@example.com", Role::Member)).await.unwrap();
    }
    let refused = place.owner.invitations().create(invite("bob@example.com", Role::Member)).await.err().unwrap();
    assert_eq!((refused.reason(), refused.kind()), ("too_many_attempts", ErrorKind::RateLimited));
    place.owner.invitations().create(invite("cleo@example.com", Role::Member)).await.expect("others are");
});

on_both!(p38_no_token_of_an_invitation_is_stored, |database| async move {
    let place = Place::new(&database).await;
    let (_, token) = place.invite("bob@example.com", Role::Member, 1).await;
    place.atom.shut_down().await.unwrap();
    assert!(dump(&database).await.iter().all(|row| !row.contains(token.expose())));
});
