//! Who gets in with a passkey, and who no longer does.

use super::*;
use crate::email_proof::Inbox;
use crate::mail::Letters;

/// Somebody has signed up with Ada's address, left a passkey there, and waits for her.
async fn lie_in_wait(atom: &Atom) -> (UserId, Authenticator) {
    let (session, scope) = sign_up(atom, "ada@example.com").await;
    let mut laptop = Authenticator::new(Key::es256());
    add(&scope, &mut laptop).await;
    enter(atom, &mut laptop).await.expect("until Ada comes");
    (session.user.id, laptop)
}

async fn assert_out(atom: &Atom, ada: Session, attackers: &mut Authenticator) {
    assert_eq!(reason(enter(atom, attackers).await), "passkey_unknown");
    let scope = atom.authenticate(ada.access_token).await.unwrap();
    assert!(scope.factors().list().await.unwrap().is_empty());
    assert_eq!(scope.factors().recovery_codes_left().await.unwrap(), 0);
}

on_both!(p11_the_owner_signs_in_with_a_code_and_the_passkey_of_whoever_came_before_is_gone, |database| async move {
    let inbox = Inbox::default();
    let atom = inbox.on(database.builder()).open().await.unwrap();
    let (user, mut attackers) = lie_in_wait(&atom).await;
    let request = EmailSignIn { email: "ada@example.com".into(), ..Default::default() };
    let flow_token = atom.accounts().request_code(request).await.unwrap().flow_token;
    let code = inbox.code("ada@example.com", MailKind::SignInCode).await;
    let proof = EmailProof { flow_token, code, ..Default::default() };
    let ada = atom.accounts().sign_in_with_code(proof).await.unwrap().signed_in().unwrap();
    assert_eq!(ada.user.id, user);
    assert_out(&atom, ada, &mut attackers).await;
});

on_both!(p11_the_owner_resets_the_password_and_the_passkey_of_whoever_came_before_is_gone, |database| async move {
    let inbox = Inbox::default();
    let atom = inbox.on(database.builder()).open().await.unwrap();
    let (user, mut attackers) = lie_in_wait(&atom).await;
    let reset = async |password: &str| {
        let request = PasswordResetRequest { email: "ada@example.com".into(), ..Default::default() };
        atom.accounts().request_password_reset(request).await.unwrap();
        let token = inbox.token("ada@example.com", MailKind::ResetPassword).await;
        atom.accounts().reset_password(token, password.into()).await.unwrap();
    };
    reset("a loom of leaves and flowers").await;
    let credentials = credentials("ada@example.com", "a loom of leaves and flowers");
    let ada = atom.accounts().sign_in(credentials).await.unwrap().signed_in().unwrap();
    assert_eq!(ada.user.id, user);
    let scope = atom.authenticate(ada.access_token.clone()).await.unwrap();
    assert_out(&atom, ada, &mut attackers).await;

    // Who had proved the address keeps what is theirs.
    let mut phone = Authenticator::new(Key::es256());
    add(&scope, &mut phone).await;
    reset("a mill of numbers and cards").await;
    enter(&atom, &mut phone).await.unwrap();
});

on_both!(whoever_has_not_proved_the_address_does_so_first_where_that_is_required, |database| async move {
    let inbox = Inbox::default();
    let atom = inbox.on(database.builder()).open().await.unwrap();
    let (user, mut laptop) = lie_in_wait(&atom).await;
    atom.shut_down().await.unwrap();
    let atom = inbox.on(database.builder()).require_verified_email(true).open().await.unwrap();
    let sign_in = async |laptop: &mut Authenticator| {
        let challenge = atom.accounts().begin_passkey_sign_in().await.unwrap();
        let answer = Json(laptop.get(&challenge.options.0));
        let credentials = PasskeyCredentials { token: challenge.token, answer, ..Default::default() };
        atom.accounts().sign_in_with_passkey(credentials).await.unwrap()
    };
    let SignIn::VerificationRequired { pending } = sign_in(&mut laptop).await else { panic!("let in unverified") };
    let code = inbox.code("ada@example.com", MailKind::VerifyEmail).await;
    let proof = EmailProof { flow_token: pending.flow_token, code, ..Default::default() };
    // The passkey was shown before, and counts.
    assert_eq!(atom.accounts().verify_email(proof).await.unwrap().signed_in().unwrap().user.id, user);
    assert_eq!(sign_in(&mut laptop).await.signed_in().unwrap().user.id, user);
});

on_both!(the_last_passkey_of_a_user_with_no_other_way_in_stays, |database| async move {
    let inbox = Inbox::default();
    let atom = inbox.on(database.builder()).sign_up_by_code(true).open().await.unwrap();
    let request = EmailSignIn { email: "ada@example.com".into(), ..Default::default() };
    let flow_token = atom.accounts().request_code(request).await.unwrap().flow_token;
    let code = inbox.code("ada@example.com", MailKind::SignInCode).await;
    let proof = EmailProof { flow_token, code, ..Default::default() };
    let session = atom.accounts().sign_in_with_code(proof).await.unwrap().signed_in().unwrap();
    let scope = atom.authenticate(session.access_token).await.unwrap();
    let (mut laptop, mut phone) = (Authenticator::new(Key::es256()), Authenticator::new(Key::es256()));
    let first = add(&scope, &mut laptop).await.factor.id;
    scope.factors().remove(first).await.expect("a code that is mailed would still get her in");
    let (first, second) = (add(&scope, &mut laptop).await.factor.id, add(&scope, &mut phone).await.factor.id);
    atom.shut_down().await.unwrap();

    // From now on nothing is mailed.
    let atom = open(&database, &TestClock::new()).await;
    let scope = atom.authenticate(enter(&atom, &mut phone).await.unwrap().access_token).await.unwrap();
    scope.factors().remove(first).await.expect("the other one is left");
    let refused = scope.factors().remove(second).await.expect_err("none would be left");
    assert_eq!((refused.kind(), refused.reason()), (ErrorKind::Conflict, "last_sign_in_method"));
    enter(&atom, &mut phone).await.expect("it is still there");
    scope.password().set(PASSWORD.into()).await.unwrap();
    scope.factors().remove(second).await.unwrap();
    atom.accounts().sign_in(credentials("ada@example.com", PASSWORD)).await.unwrap().signed_in().unwrap();
});

on_both!(a_sign_in_with_a_passkey_asks_for_no_other_factor_and_tells_of_a_new_device, |database| async move {
    let (letters, clock) = (Letters::taking(), TestClock::stopped());
    let atom = letters.on(database.builder()).clock(clock.clone()).open().await.unwrap();
    let (_, scope) = sign_up(&atom, "ada@example.com").await;
    add_app(&scope, &clock).await;
    let mut laptop = Authenticator::new(Key::es256());
    add(&scope, &mut laptop).await;
    let challenge = atom.accounts().begin_passkey_sign_in().await.unwrap();
    let answer = Json(laptop.get(&challenge.options.0));
    let client = Some(Client { device_name: Some("a telephone".into()), ..Default::default() });
    let credentials = PasskeyCredentials { token: challenge.token, answer, client, ..Default::default() };
    let session = atom.accounts().sign_in_with_passkey(credentials).await.unwrap().signed_in().expect("not the code of the app");
    let scope = atom.authenticate_live(session.access_token).await.unwrap();
    scope.factors().begin_totp(None).await.expect("it is a fresh proof, too");
    letters.nth(MailKind::NewDevice, 1).await;
});
