//! Signing in with a code.

use super::*;

on_both!(a_user_signs_in_with_a_code_however_it_is_typed, |database| async move {
    let post = Post::open(&database).await;
    let (ada, _) = sign_up(&post.atom, "Ada@example.com").await;
    let pending = post.request_code(" ADA@example.com ").await;
    assert_eq!(pending.expires_at, post.clock.now() + TimeDelta::minutes(10));
    let mail = post.inbox.next("ada@example.com", MailKind::SignInCode).await;
    assert!(mail.text.contains("10 minutes") && !mail.text.contains("http"), "{}", mail.text);
    let code = code_of(&mail);
    let typed = Secret::from(format!(" {}-{} ", &code.expose()[..4], &code.expose()[4..]));
    let desk = EmailProof { client: Some(client("192.0.2.7", "desk")), ..proof(&pending.flow_token, &typed) };
    let session = post.accounts().sign_in_with_code(desk).await.unwrap().signed_in().unwrap();
    assert_eq!((session.user.id, session.user.email.as_str()), (ada.user.id, "Ada@example.com"));
    assert!(session.user.email_verified);
    let scope = post.scope(&session).await;
    let entries = scope.audit().list(AuditFilter { action: Some(AuditAction::SignedIn), ..Default::default() }).await.unwrap();
    assert_eq!(entries.items[0].details["method"], "email_code");
    let events = EventFilter { names: Some(vec!["user.email_verified".into()]), ..Default::default() };
    assert_eq!(scope.events().list(events).await.unwrap().items[0].subject, Some(ada.user.id.to_string()));
});

on_both!(p05_a_code_works_once, |database| async move {
    let post = Post::open(&database).await;
    sign_up(&post.atom, "ada@example.com").await;
    let pending = post.request_code("ada@example.com").await;
    let code = post.inbox.code("ada@example.com", MailKind::SignInCode).await;
    let shown = proof(&pending.flow_token, &code);
    post.accounts().sign_in_with_code(shown.clone()).await.unwrap().signed_in().unwrap();
    assert_eq!(refused(post.accounts().sign_in_with_code(shown).await), SPENT);
});

on_both!(p05_a_code_is_good_for_its_own_flow_address_and_intent_only, |database| async move {
    let post = Post::open(&database).await;
    let (ada, scope) = sign_up(&post.atom, "ada@example.com").await;
    sign_up(&post.atom, "bob@example.com").await;
    let accounts = post.accounts();
    let for_ada = post.request_code("ada@example.com").await;
    let code = post.inbox.code("ada@example.com", MailKind::SignInCode).await;
    let for_bob = post.request_code("bob@example.com").await;
    let bobs = post.inbox.code("bob@example.com", MailKind::SignInCode).await;
    // Another address, and another flow.
    assert_eq!(refused(accounts.sign_in_with_code(proof(&for_bob.flow_token, &code)).await), WRONG);
    assert_eq!(refused(accounts.sign_in_with_code(proof(&for_ada.flow_token, &bobs)).await), WRONG);
    assert_eq!(refused(accounts.sign_in_with_code(proof(&"atom_flow_nobody".into(), &code)).await), SPENT);
    assert_eq!(refused(accounts.sign_in_with_code(proof(&Secret::default(), &code)).await), SPENT);
    // Another intent.
    assert_eq!(refused(accounts.verify_email(proof(&for_ada.flow_token, &code)).await), SPENT);
    assert_eq!(refused(accounts.confirm_sign_up(proof(&for_ada.flow_token, &code)).await), SPENT);
    let step_up = scope.step_up();
    assert_eq!(reason(step_up.with_code(code.clone(), for_ada.flow_token.clone()).await), "proof_spent");
    assert_eq!(reason(scope.email().verify(code.clone(), Some(for_ada.flow_token.clone())).await), "proof_spent");
    assert_eq!(reason(scope.email().confirm_change(code.clone(), Some(for_ada.flow_token.clone())).await), "proof_spent");
    let pending = step_up.request_code().await.unwrap();
    let step = post.inbox.code("ada@example.com", MailKind::SignInCode).await;
    assert_eq!(refused(accounts.sign_in_with_code(proof(&pending.flow_token, &step)).await), SPENT);
    // None of it has used the code up.
    let session = accounts.sign_in_with_code(proof(&for_ada.flow_token, &code)).await.unwrap().signed_in().unwrap();
    assert_eq!(session.user.id, ada.user.id);
});

on_both!(p05_a_newer_code_replaces_the_one_before, |database| async move {
    let post = Post::open(&database).await;
    sign_up(&post.atom, "ada@example.com").await;
    let first = post.request_code("ada@example.com").await;
    let old = post.inbox.code("ada@example.com", MailKind::SignInCode).await;
    let second = post.request_code("ada@example.com").await;
    let new = post.inbox.code("ada@example.com", MailKind::SignInCode).await;
    assert_eq!(refused(post.accounts().sign_in_with_code(proof(&first.flow_token, &old)).await), SPENT);
    post.accounts().sign_in_with_code(proof(&second.flow_token, &new)).await.unwrap();
});

on_both!(p05_a_code_is_over_after_its_minutes, |database| async move {
    let post = Post::open_with(&database, |builder| builder.code_minutes(3)).await;
    sign_up(&post.atom, "ada@example.com").await;
    for (seconds, works) in [(179, true), (180, false)] {
        let pending = post.request_code("ada@example.com").await;
        let code = post.inbox.code("ada@example.com", MailKind::SignInCode).await;
        post.clock.advance(TimeDelta::seconds(seconds));
        let result = post.accounts().sign_in_with_code(proof(&pending.flow_token, &code)).await;
        assert_eq!(result.is_ok(), works, "after {seconds} seconds");
    }
    for wrong in [0, 11, -1] {
        assert_eq!(reason(database.builder().code_minutes(wrong).open().await), "malformed_option");
    }
    for wrong in [0, 61] {
        assert_eq!(reason(database.builder().link_minutes(wrong).open().await), "malformed_option");
    }
});

on_both!(p05_after_five_guesses_even_the_right_code_is_refused, |database| async move {
    let post = Post::open(&database).await;
    sign_up(&post.atom, "ada@example.com").await;
    let pending = post.request_code("ada@example.com").await;
    let code = post.inbox.code("ada@example.com", MailKind::SignInCode).await;
    // What is no code is no guess.
    for text in ["", "1234567", "sesame", "atom_link_nothing"] {
        let result = post.accounts().sign_in_with_code(proof(&pending.flow_token, &text.into())).await;
        assert!([WRONG, SPENT].contains(&refused(result)));
    }
    for _ in 0..5 {
        assert_eq!(refused(post.accounts().sign_in_with_code(proof(&pending.flow_token, &another(&code))).await), WRONG);
    }
    for code in [another(&code), code] {
        assert_eq!(refused(post.accounts().sign_in_with_code(proof(&pending.flow_token, &code)).await), SPENT);
    }
});

on_both!(p04_an_unknown_address_gets_the_same_answers_and_no_mail, |database| async move {
    let post = Post::open(&database).await;
    sign_up(&post.atom, "ada@example.com").await;
    let mut answers = Vec::new();
    for email in ["ada@example.com", "nobody@example.com"] {
        let pending = post.request_code(email).await;
        let mut reasons = Vec::new();
        for guess in 0..7 {
            // It is the right one once in ten million runs.
            let guess = Secret::from(format!("{guess:08}"));
            reasons.push(refused(post.accounts().sign_in_with_code(proof(&pending.flow_token, &guess)).await));
        }
        let link = post.accounts().request_magic_link(at(email)).await.unwrap();
        answers.push((
            pending.expires_at,
            pending.flow_token.expose().len(),
            reasons,
            link.expires_at,
            link.flow_token.expose().len(),
        ));
    }
    assert_eq!(answers[0], answers[1]);
    assert_eq!(answers[0].2, [[WRONG; 5].as_slice(), &[SPENT; 2]].concat());
    assert_eq!((post.mails(MailKind::SignInCode).await, post.mails(MailKind::MagicLink).await), (1, 1));
});

on_both!(p04_known_and_unknown_addresses_take_the_same_time, |database| async move {
    let post = Post::open(&database).await;
    sign_up(&post.atom, "ada@example.com").await;
    let mut times = [Vec::new(), Vec::new()];
    for round in 0..120 {
        post.clock.advance(TimeDelta::hours(2));
        // Neither always comes first.
        for which in [round % 2, 1 - round % 2] {
            let email = ["ada@example.com", "nobody@example.com"][which];
            let began = Instant::now();
            post.request_code(email).await;
            times[which].push(began.elapsed());
            if which == 0 {
                post.inbox.next(email, MailKind::SignInCode).await;
            }
        }
    }
    let [known, unknown] = times.map(|mut times| {
        times.sort();
        times[times.len() / 2].as_secs_f64()
    });
    let ratio = known / unknown;
    assert!((0.7..1.5).contains(&ratio), "{known} s with an account, {unknown} s without");
});

on_both!(p06_requests_are_limited_for_an_address_a_network_and_everyone, |database| async move {
    let post = Post::open(&database).await;
    sign_up(&post.atom, "ada@example.com").await;
    let from = |email: &str, ip: &str| EmailSignIn { client: Some(client(ip, "x")), ..at(email) };
    let accounts = post.accounts();
    for email in ["ada@example.com", "nobody@example.com"] {
        for _ in 0..5 {
            accounts.request_code(from(email, "203.0.113.66")).await.unwrap();
        }
        let error = accounts.request_code(from(email, "::ffff:203.0.113.66")).await.err().expect("limited");
        assert_eq!((error.kind(), error.reason()), (ErrorKind::RateLimited, "too_many_attempts"));
        assert!(error.retry_after().is_some_and(|wait| wait <= Duration::from_secs(600)), "{:?}", error.retry_after());
    }
    accounts.request_code(from("ADA@example.com", "192.0.2.7")).await.expect("at home");
    // From everywhere: nobody's mailbox is filled.
    let mut mailed = 0;
    for i in 0..30 {
        mailed += i32::from(accounts.request_code(from("ada@example.com", &format!("198.51.100.{i}"))).await.is_ok());
    }
    assert_eq!(mailed, 14);
    // One address after the other.
    let mut mailed = 0;
    for i in 0..60 {
        mailed += i32::from(accounts.request_code(from(&format!("user-{i}@example.com"), "2001:db8:0:7::1")).await.is_ok());
    }
    assert_eq!(mailed, 50);
    post.clock.advance(TimeDelta::minutes(61));
    accounts.request_code(from("ada@example.com", "203.0.113.66")).await.expect("in time");
});

on_both!(p07_a_flood_neither_ends_the_codes_of_a_known_device_nor_keeps_it_from_new_ones, |database| async move {
    let post = Post::open(&database).await;
    sign_up(&post.atom, "ada@example.com").await;
    let device = post.sign_in("ada@example.com").await.refresh_token;
    let at_home = || EmailSignIn { known_device: Some(device.clone()), ..at("ada@example.com") };
    let from = |i: u8| EmailSignIn { client: Some(client(&format!("198.51.100.{i}"), "x")), ..at("ada@example.com") };
    let mine = post.accounts().request_code(at_home()).await.unwrap();
    let code = post.inbox.code("ada@example.com", MailKind::SignInCode).await;
    let mut refused = 0;
    for i in 0..30 {
        refused += i32::from(post.accounts().request_code(from(i)).await.is_err());
    }
    assert!(refused >= 10, "strangers fill no mailbox: {refused}");
    post.accounts().sign_in_with_code(proof(&mine.flow_token, &code)).await.expect("the code from before the flood");
    for _ in 0..4 {
        post.accounts().request_code(at_home()).await.expect("a count of its own");
    }
    assert_eq!(post.accounts().request_code(at_home()).await.err().expect("limited").reason(), "too_many_attempts");
    // What a stranger calls a known device is none.
    let stranger = EmailSignIn { known_device: Some("an0ther.t0ken".into()), ..from(200) };
    assert_eq!(post.accounts().request_code(stranger).await.err().expect("limited").reason(), "too_many_attempts");
});

on_both!(an_unknown_address_becomes_an_account_where_the_host_says_so, |database| async move {
    let post = Post::open_with(&database, |builder| builder.sign_up_by_code(true)).await;
    let wanted = EmailSignIn { locale: Some("de-AT".into()), ..at("Ada@example.com") };
    let pending = post.accounts().request_code(wanted).await.unwrap();
    let code = post.inbox.code("ada@example.com", MailKind::SignInCode).await;
    let session = post.accounts().sign_in_with_code(proof(&pending.flow_token, &code)).await.unwrap().signed_in().unwrap();
    assert_eq!((session.user.email.as_str(), session.workspace.name.as_str()), ("Ada@example.com", "ada"));
    assert!(session.user.email_verified && session.role == Role::Owner);
    assert_eq!(session.user.locale.as_deref(), Some("de-AT"));
    assert_eq!(reason(post.accounts().sign_in(credentials("ada@example.com", "")).await), "wrong_credentials");
    assert_eq!(post.sign_in("ada@example.com").await.user.id, session.user.id, "the same account again");

    let link = post.accounts().request_magic_link(at("bob@example.com")).await.unwrap();
    let token = post.inbox.token("bob@example.com", MailKind::MagicLink).await;
    let shown = LinkSignIn { token, flow_token: Some(link.flow_token), ..Default::default() };
    assert_eq!(post.accounts().sign_in_with_link(shown).await.unwrap().signed_in().unwrap().workspace.name, "bob");
});

on_both!(without_mail_there_are_no_codes_and_the_error_says_what_is_missing, |database| async move {
    let atom = database.open().await;
    let (_, scope) = sign_up(&atom, "ada@example.com").await;
    let accounts = atom.accounts();
    for reason in [
        reason(accounts.request_code(at("ada@example.com")).await),
        reason(accounts.request_magic_link(at("nobody@example.com")).await),
        reason(accounts.begin_sign_up(account("bob@example.com")).await),
        reason(scope.email().request_verification().await),
        reason(scope.email().request_change("bob@example.com".into()).await),
        reason(scope.step_up().request_code().await),
    ] {
        assert_eq!(reason, "mail_not_configured");
    }
    assert_eq!(reason(accounts.request_code(at("ada")).await), "malformed_email");
});

on_both!(a_code_proves_once_more_who_acts, |database| async move {
    let post = Post::open(&database).await;
    let (session, scope) = sign_up(&post.atom, "ada@example.com").await;
    post.clock.advance(TimeDelta::minutes(11));
    let session = post.accounts().refresh(session.refresh_token).await.unwrap();
    assert!(!scope.step_up().is_fresh().await.unwrap());
    let scope = post.scope(&session).await;
    let pending = scope.step_up().request_code().await.unwrap();
    let code = post.inbox.code("ada@example.com", MailKind::SignInCode).await;
    // Nobody else can use it, and their attempt is none.
    let (_, bob) = sign_up(&post.atom, "bob@example.com").await;
    assert_eq!(reason(bob.step_up().with_code(code.clone(), pending.flow_token.clone()).await), "proof_spent");
    assert_eq!(reason(scope.step_up().with_code(another(&code), pending.flow_token.clone()).await), "wrong_code");
    scope.step_up().with_code(code.clone(), pending.flow_token.clone()).await.unwrap();
    assert!(scope.step_up().is_fresh().await.unwrap());
    assert_eq!(reason(scope.step_up().with_code(code, pending.flow_token).await), "proof_spent");
});
