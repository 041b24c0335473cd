//! What the database knows of codes, links and those who wait for them: nothing that can be used.

use super::*;

on_both!(p05_neither_codes_nor_tokens_nor_who_waits_are_in_the_database, |database| async move {
    let post = Post::open(&database).await;
    let canary = NewAccount { display_name: Some("Canary Name".into()), ..account("canary-address@example.com") };
    let begun = post.accounts().begin_sign_up(canary).await.unwrap();
    let mail = post.inbox.next("canary-address@example.com", MailKind::VerifyEmail).await;
    let (ada, _) = sign_up(&post.atom, "ada@example.com").await;
    let pending = post.request_code("ada@example.com").await;
    let code = post.inbox.code("ada@example.com", MailKind::SignInCode).await;
    let link = post.accounts().request_magic_link(at("ada@example.com")).await.unwrap();
    let token = post.inbox.token("ada@example.com", MailKind::MagicLink).await;
    let texts = dump(&database).await;
    let secrets = [&begun.flow_token, &code_of(&mail), &token_of(&mail), &pending.flow_token, &code, &link.flow_token, &token];
    let names = ["canary-address", "Canary Name"];
    for canary in secrets.into_iter().map(Secret::expose).chain(names) {
        assert!(!texts.iter().any(|text| text.contains(canary)), "`{canary}` is in the database");
    }
    drop(ada);
});

on_both!(what_is_over_is_forgotten_after_a_day, |database| async move {
    let post = Post::open(&database).await;
    sign_up(&post.atom, "ada@example.com").await;
    post.request_code("ada@example.com").await;
    post.atom.shut_down().await.unwrap();
    for (hours, left) in [(24, 1), (2, 0)] {
        post.clock.advance(TimeDelta::hours(hours));
        let atom = database.builder().clock(post.clock.clone()).open().await.unwrap();
        assert_eq!(number(&database, "SELECT count(*) FROM atom_email_proofs").await, left);
        atom.shut_down().await.unwrap();
    }
});
