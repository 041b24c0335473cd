//! Signing up with an address that is proved first.

use super::*;

on_both!(an_account_is_made_when_its_address_is_proved, |database| async move {
    let post = Post::open(&database).await;
    let new = NewAccount { display_name: Some("Ada".into()), locale: Some("de".into()), ..account("Ada@example.com") };
    let pending = post.accounts().begin_sign_up(new).await.unwrap();
    assert_eq!(number(&database, "SELECT count(*) FROM atom_users").await, 0);
    let mail = post.inbox.next("ada@example.com", MailKind::VerifyEmail).await;
    assert!(!mail.text.contains("Hello Ada"), "a name that somebody entered goes to nobody: {}", mail.text);
    let code = code_of(&mail);
    assert_eq!(refused(post.accounts().confirm_sign_up(proof(&pending.flow_token, &another(&code))).await), WRONG);
    let desk = EmailProof { client: Some(client("192.0.2.7", "desk")), ..proof(&pending.flow_token, &code) };
    let session = post.accounts().confirm_sign_up(desk.clone()).await.unwrap().signed_in().unwrap();
    let user = &session.user;
    assert_eq!((user.email.as_str(), user.email_verified, user.locale.as_deref()), ("Ada@example.com", true, Some("de")));
    assert_eq!((session.workspace.name.as_str(), session.role), ("Ada", Role::Owner));
    let listed = post.scope(&session).await.sessions().list().await.unwrap();
    assert_eq!(listed[0].client, Some(client("192.0.2.7", "desk")));
    assert_eq!(refused(post.accounts().confirm_sign_up(desk).await), SPENT);
    let again = post.accounts().sign_in(credentials("ada@example.com", PASSWORD)).await.unwrap().signed_in().unwrap();
    assert_eq!(again.user.id, session.user.id);
});

on_both!(the_link_of_the_mail_does_it_too_in_the_browser_that_began, |database| async move {
    let post = Post::open(&database).await;
    let pending = post.accounts().begin_sign_up(account("ada@example.com")).await.unwrap();
    let token = post.inbox.token("ada@example.com", MailKind::VerifyEmail).await;
    // Whoever reads the mail does not make the account of whoever began with their password.
    for elsewhere in [Secret::default(), "atom_flow_elsewhere".into()] {
        assert_eq!(refused(post.accounts().confirm_sign_up(proof(&elsewhere, &token)).await), SPENT);
    }
    post.accounts().confirm_sign_up(proof(&pending.flow_token, &token)).await.unwrap().signed_in().unwrap();
});

on_both!(p04_a_taken_address_gets_the_same_answer_and_its_owner_a_mail, |database| async move {
    let post = Post::open(&database).await;
    sign_up(&post.atom, "ada@example.com").await;
    let taken = post.accounts().begin_sign_up(account("ADA@example.com")).await.unwrap();
    let free = post.accounts().begin_sign_up(account("bob@example.com")).await.unwrap();
    assert_eq!((taken.expires_at, taken.flow_token.expose().len()), (free.expires_at, free.flow_token.expose().len()));
    let mail = post.inbox.next("ada@example.com", MailKind::AccountExists).await;
    assert!(mail.subject.contains("already") && !mail.text.contains("token") && !mail.text.contains("code"), "{}", mail.text);
    assert_eq!(post.mails(MailKind::VerifyEmail).await, 1);
    for guess in ["00000000", "11111111"] {
        assert_eq!(refused(post.accounts().confirm_sign_up(proof(&taken.flow_token, &guess.into())).await), WRONG);
        assert_eq!(refused(post.accounts().confirm_sign_up(proof(&free.flow_token, &guess.into())).await), WRONG);
    }
    for weak in [NewAccount { password: "short".into(), ..account("ada@example.com") }, account("ada")] {
        assert!(["weak_password", "malformed_email"].contains(&reason(post.accounts().begin_sign_up(weak).await)));
    }
});

on_both!(whoever_is_second_to_prove_an_address_is_told_so, |database| async move {
    let post = Post::open(&database).await;
    let pending = post.accounts().begin_sign_up(account("ada@example.com")).await.unwrap();
    let code = post.inbox.code("ada@example.com", MailKind::VerifyEmail).await;
    sign_up(&post.atom, "ada@example.com").await;
    let taken = refused(post.accounts().confirm_sign_up(proof(&pending.flow_token, &code)).await);
    assert_eq!(taken, (ErrorKind::Conflict, "email_taken"));
    post.sign_in("ada@example.com").await;
});

on_both!(where_addresses_must_be_verified_nobody_gets_in_before, |database| async move {
    // From before that was asked for.
    let inbox = Inbox::default();
    let before = inbox.on(database.builder()).open().await.unwrap();
    let (ada, _) = sign_up(&before, "ada@example.com").await;
    before.shut_down().await.unwrap();

    let post = Post::open_with(&database, |builder| builder.require_verified_email(true)).await;
    let refusal = post.accounts().sign_up(account("bob@example.com")).await.err().expect("refused");
    assert_eq!((refusal.kind(), refusal.reason()), (ErrorKind::Unsupported, "verification_required"));
    assert!(refusal.to_string().contains("begin_sign_up"));

    assert_eq!(reason(post.accounts().sign_in(credentials("ada@example.com", "wrong")).await), "wrong_credentials");
    assert_eq!(post.mails(MailKind::VerifyEmail).await, 0, "a wrong password mails nothing");
    let wanted = Credentials { workspace_id: Some(ada.workspace.id), ..credentials("ada@example.com", PASSWORD) };
    let SignIn::VerificationRequired { pending } = post.accounts().sign_in(wanted).await.unwrap() else { panic!("let in") };
    let sign_in = post.accounts().sign_in(credentials("ada@example.com", PASSWORD)).await.unwrap();
    assert_eq!(reason(sign_in.signed_in()), "verification_required");
    let old = post.inbox.code("ada@example.com", MailKind::VerifyEmail).await;
    assert_eq!(refused(post.accounts().verify_email(proof(&pending.flow_token, &old)).await), SPENT, "there is a newer one");

    let SignIn::VerificationRequired { pending } =
        post.accounts().sign_in(credentials("ada@example.com", PASSWORD)).await.unwrap()
    else {
        panic!("let in")
    };
    post.inbox.next("ada@example.com", MailKind::VerifyEmail).await;
    let code = post.inbox.code("ada@example.com", MailKind::VerifyEmail).await;
    assert_eq!(refused(post.accounts().sign_in_with_code(proof(&pending.flow_token, &code)).await), SPENT);
    let session = post.accounts().verify_email(proof(&pending.flow_token, &code)).await.unwrap().signed_in().unwrap();
    assert!(session.user.email_verified && session.user.id == ada.user.id);
    post.accounts().sign_in(credentials("ada@example.com", PASSWORD)).await.unwrap().signed_in().expect("verified now");
    let scope = post.scope(&session).await;
    let filter = AuditFilter { action: Some(AuditAction::EmailVerified), ..Default::default() };
    assert_eq!(scope.audit().list(filter).await.unwrap().items[0].subject, Some(ada.user.id.to_string()));

    // And what is proved from the beginning needs no further proof.
    let pending = post.accounts().begin_sign_up(account("bob@example.com")).await.unwrap();
    let code = post.inbox.code("bob@example.com", MailKind::VerifyEmail).await;
    post.accounts().confirm_sign_up(proof(&pending.flow_token, &code)).await.unwrap();
    post.accounts().sign_in(credentials("bob@example.com", PASSWORD)).await.unwrap().signed_in().unwrap();
});
