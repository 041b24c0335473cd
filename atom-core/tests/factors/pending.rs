//! Sign-ins that wait for a factor.

use super::*;
use serde_json::json;
use std::collections::BTreeSet;

/// What takes a token. The first word is the method as the stub of the Python package has it.
async fn replay(atom: &Atom, scope: &Scope, method: &str, token: Secret) -> Result<(), Error> {
    let accounts = atom.accounts();
    let client = || Client { device_name: Some("thief".into()), ..Default::default() };
    match method {
        "authenticate" => atom.authenticate(token).await.map(drop),
        "authenticate_live" => atom.authenticate_live(token).await.map(drop),
        "use_lease" => atom.use_lease(token).await.map(drop),
        "refresh" => accounts.refresh(token).await.map(drop),
        "refresh_from" => accounts.refresh_from(token, client()).await.map(drop),
        "sign_out" => accounts.sign_out(token).await,
        "complete_with_totp" => accounts.complete_with_totp(token, "000000".into()).await.map(drop),
        "complete_with_recovery_code" => accounts.complete_with_recovery_code(token, "0000".into()).await.map(drop),
        "complete_with_passkey" => accounts.complete_with_passkey(token, "x".into(), Json(json!({}))).await.map(drop),
        "begin_passkey_factor" => accounts.begin_passkey_factor(token).await.map(drop),
        "confirm_passkey" => scope.factors().confirm_passkey(token, Json(json!({})), None).await.map(drop),
        "with_passkey" => scope.step_up().with_passkey(token, Json(json!({}))).await,
        "magic_link" => accounts.magic_link(token).await.map(drop),
        "invitation" => accounts.invitation(token).await.map(drop),
        "reset_password" => accounts.reset_password(token, "a loom of leaves and flowers".into()).await,
        "verify" => scope.email().verify("12345678".into(), Some(token)).await.map(drop),
        "confirm_change" => scope.email().confirm_change("12345678".into(), Some(token)).await.map(drop),
        "with_code" => scope.step_up().with_code("12345678".into(), token).await,
        "accept" => scope.invitations().accept(token).await.map(drop),
        "complete_social" => {
            accounts.complete_social(token, "https://acme.example/callback?state=x".into(), None).await.map(drop)
        }
        "link" => scope.identities().link(token).await.map(drop),
        "complete_link" => scope.connections().complete_link("google".into(), token).await.map(drop),
        other => panic!("`{other}` takes a token, too: replay it here"),
    }
}

/// Every method that takes a token, as the stubs of the Python package know them.
fn takers() -> BTreeSet<String> {
    let stubs = concat!(env!("CARGO_MANIFEST_DIR"), "/../atom-py/python/atom_py/_atom.pyi");
    let stubs = std::fs::read_to_string(stubs).unwrap();
    let methods = stubs.lines().filter_map(|line| line.trim().strip_prefix("async def ")?.split_once('('));
    let takes = methods.filter(|(_, rest)| rest.split(')').next().unwrap().contains("token: str"));
    takes.map(|(name, _)| name.to_owned()).collect()
}

on_both!(p18_a_pending_sign_in_opens_nothing_but_its_own_completion, |database| async move {
    let (atom, clock, session, scope) = opened(&database).await;
    let (app, codes) = add_app(&scope, &clock).await;
    clock.advance(TimeDelta::seconds(30));
    let waiting = pending(&atom).await;
    let takers = takers();
    assert!(takers.len() >= 9, "{takers:?}");
    for method in &takers {
        let refused = replay(&atom, &scope, method, waiting.token.clone()).await.err();
        let refused = refused.unwrap_or_else(|| panic!("`{method}` took the token of a pending sign-in"));
        let is_completion = matches!(method.as_str(), "complete_with_totp" | "complete_with_recovery_code");
        assert!(is_completion == (refused.reason() == "wrong_code"), "{method}: {}", refused.reason());
    }
    // And nothing else completes it.
    let known = Credentials { known_device: Some(waiting.token.clone()), ..credentials("ada@example.com", PASSWORD) };
    assert!(matches!(atom.accounts().sign_in(known).await.unwrap(), SignIn::FactorRequired { .. }));
    for token in [session.access_token, session.refresh_token, "atom_pf_".into(), "".into()] {
        let (accounts, code) = (atom.accounts(), app.code());
        assert_eq!(reason(accounts.complete_with_totp(token.clone(), code).await), "unknown_pending_factor");
        let refused = accounts.complete_with_recovery_code(token, codes[0].clone()).await;
        assert_eq!(reason(refused), "unknown_pending_factor");
    }
    atom.accounts().complete_with_totp(waiting.token, app.code()).await.expect("untouched by all of that");
});

on_both!(a_pending_sign_in_is_completed_once_and_in_time, |database| async move {
    let (atom, clock, _, scope) = opened(&database).await;
    let (app, codes) = add_app(&scope, &clock).await;
    let accounts = atom.accounts();
    let (first, late) = (pending(&atom).await, pending(&atom).await);
    accounts.complete_with_totp(first.token.clone(), app.next_code()).await.unwrap();
    let code = app.next_code();
    assert_eq!(reason(accounts.complete_with_totp(first.token.clone(), code).await), "unknown_pending_factor");
    let again = accounts.complete_with_recovery_code(first.token, codes[0].clone()).await;
    assert_eq!(reason(again), "unknown_pending_factor");
    clock.advance(TimeDelta::minutes(10));
    assert_eq!(reason(accounts.complete_with_totp(late.token, app.next_code()).await), "unknown_pending_factor");
    let waiting = pending(&atom).await;
    accounts.complete_with_recovery_code(waiting.token, codes[0].clone()).await.expect("it was not used up before");
});

on_both!(p06_a_pending_sign_in_takes_five_tries, |database| async move {
    let (atom, clock, _, scope) = opened(&database).await;
    let (_, codes) = add_app(&scope, &clock).await;
    let waiting = pending(&atom).await;
    let tries = (0..50).map(|i| {
        let (accounts, token) = (atom.accounts(), waiting.token.clone());
        tokio::spawn(async move { reason(accounts.complete_with_recovery_code(token, format!("{i:016}").into()).await) })
    });
    let mut seen = Vec::new();
    for tried in tries.collect::<Vec<_>>() {
        seen.push(tried.await.unwrap());
    }
    assert_eq!(seen.iter().filter(|reason| **reason == "wrong_code").count(), 5, "{seen:?}");
    let late = atom.accounts().complete_with_recovery_code(waiting.token, codes[0].clone()).await;
    assert_eq!(reason(late), "unknown_pending_factor");
});

on_both!(p07_guesses_at_codes_are_slow_over_all_sign_ins_and_lock_nobody_out, |database| async move {
    let (atom, clock, _, scope) = opened(&database).await;
    let (app, codes) = add_app(&scope, &clock).await;
    let other = database.builder().clock(clock.clone()).open().await.unwrap();
    clock.advance(TimeDelta::minutes(2));
    let guess = async |atom: &Atom, token: &Secret| {
        let guessed = atom.accounts().complete_with_totp(token.clone(), wrong(&app.code())).await;
        guessed.err().expect("a wrong guess")
    };
    let waiting = [pending(&atom).await, pending(&other).await, pending(&other).await];
    for i in 0..6 {
        let (atom, waiting) = if i % 2 == 0 { (&atom, &waiting[0]) } else { (&other, &waiting[1]) };
        assert_eq!(guess(atom, &waiting.token).await.reason(), "wrong_code");
    }
    let mut waits = Vec::new();
    for _ in 0..4 {
        let refused = guess(&other, &waiting[2].token).await;
        assert_eq!((refused.kind(), refused.reason()), (ErrorKind::RateLimited, "too_many_attempts"));
        waits.push(refused.retry_after().unwrap().as_secs());
        clock.advance(TimeDelta::from_std(refused.retry_after().unwrap()).unwrap() + TimeDelta::milliseconds(1));
        assert_eq!(guess(&other, &waiting[2].token).await.reason(), "wrong_code");
    }
    assert_eq!(waits, [1, 4, 16, 64]);
    // The owner waits for the app, and does not for a recovery code or where a session stands.
    let mine = pending(&atom).await;
    assert_eq!(guess(&atom, &mine.token).await.reason(), "too_many_attempts");
    atom.accounts().complete_with_recovery_code(mine.token, codes[0].clone()).await.unwrap();
    scope.step_up().with_totp(app.next_code()).await.unwrap();
    clock.advance(TimeDelta::minutes(16));
    let mine = pending(&atom).await;
    atom.accounts().complete_with_totp(mine.token, app.code()).await.expect("after a while");
});

on_both!(p18_a_pending_sign_in_ends_with_the_password_and_the_account, |database| async move {
    let (atom, clock, _, scope) = opened(&database).await;
    let (app, codes) = add_app(&scope, &clock).await;
    let waiting = pending(&atom).await;
    let set = |value: &str| format!("UPDATE atom_users SET {value} WHERE email = 'ada@example.com'");
    let hash = "password_hash = password_hash || ' '";
    sql(&database, set(hash), set(hash)).await;
    let refused = atom.accounts().complete_with_recovery_code(waiting.token, codes[0].clone()).await;
    assert_eq!(reason(refused), "unknown_pending_factor");

    let back = "password_hash = trim(password_hash)";
    sql(&database, set(back), set(back)).await;
    let waiting = pending(&atom).await;
    sql(&database, set("disabled_at = 1"), set("disabled_at = now()")).await;
    assert_eq!(reason(atom.accounts().complete_with_totp(waiting.token, app.next_code()).await), "unknown_pending_factor");
});

on_both!(a_pending_sign_in_remembers_its_workspace_and_its_client, |database| async move {
    let (atom, clock, _, scope) = opened(&database).await;
    let (app, _) = add_app(&scope, &clock).await;
    let (bob, _) = sign_up(&atom, "bob@example.com").await;
    let joined = |now: &str| {
        format!(
            "INSERT INTO atom_memberships (workspace_id, user_id, role, created_at) SELECT w.id, u.id, 'member', {now} FROM atom_workspaces w, atom_users u WHERE w.name = 'bob' AND u.email = 'ada@example.com'"
        )
    };
    sql(&database, joined("9000000000000000"), joined("now() + interval '1 day'")).await;
    let client = Client { device_name: Some("Ada's phone".into()), ..Default::default() };
    let elsewhere = Credentials {
        workspace_id: Some(bob.workspace.id),
        client: Some(client.clone()),
        ..credentials("ada@example.com", PASSWORD)
    };
    let SignIn::FactorRequired { pending } = atom.accounts().sign_in(elsewhere).await.unwrap() else { panic!("it was enough") };
    let session = atom.accounts().complete_with_totp(pending.token, app.next_code()).await.unwrap().signed_in().unwrap();
    assert_eq!((session.workspace.id, session.role), (bob.workspace.id, Role::Member));
    let sessions = scope.sessions().list().await.unwrap();
    assert_eq!(sessions.iter().find(|listed| listed.id == session.id).unwrap().client.as_ref(), Some(&client));
});
