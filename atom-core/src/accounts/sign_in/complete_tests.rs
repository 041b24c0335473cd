//! Proofs whose ground is taken away before the session begins.

use super::*;
use crate::accounts::fixtures::{EMAIL, PASSWORD, on_each};
use crate::accounts::store::NewAddress;
use crate::accounts::{passwords, verified};

/// Somebody has shown the password, or read the mail.
async fn proved(inner: &Inner, method: SignInMethod) -> Proved {
    let row = store::user_by_email(inner.db().expect("open"), EMAIL).await.expect("read").expect("there");
    let ground = match method {
        SignInMethod::Password => {
            let hash = passwords::verify(inner, Some(&row), &PASSWORD.into()).await.expect("verified");
            Ground::password(&hash.expect("right"))
        }
        _ => Ground::address(EMAIL),
    };
    Proved { user: row.into_user(), method, ground, workspace_id: None, client: None, is_known_device: false }
}

fn reason(answer: Result<SignIn>) -> &'static str {
    answer.err().expect("refused").reason()
}

#[tokio::test]
async fn p12_a_password_that_is_changed_while_somebody_signs_in_with_it_lets_nobody_in() {
    on_each(async |atom, principal| {
        let inner = atom.inner();
        let before = proved(&inner, SignInMethod::Password).await;
        let password = crate::Password { inner: inner.clone(), principal: principal.clone() };
        password.change(PASSWORD.into(), "a loom of leaves and flowers".into()).await.expect("changed");
        assert_eq!(reason(run(&inner, before).await), "proof_outdated");
        assert_eq!(sessions::list(&inner, &principal).await.expect("listed").len(), 1, "the one that changed it");
    })
    .await;
}

#[tokio::test]
async fn p11_an_account_that_is_adopted_while_its_maker_signs_in_does_not_let_them_in() {
    on_each(async |atom, principal| {
        let inner = atom.inner();
        let makers = proved(&inner, SignInMethod::Password).await;
        let owners = proved(&inner, SignInMethod::EmailCode).await;
        let user = verified::adopt(&inner, owners.user.clone()).await.expect("adopted");
        assert!(user.email_verified);
        assert_eq!(reason(run(&inner, makers).await), "proof_outdated");
        assert!(sessions::list(&inner, &principal).await.expect("listed").is_empty());
        run(&inner, owners).await.expect("the proof of the owner stands").signed_in().expect("signed in");
    })
    .await;
}

#[tokio::test]
async fn p11_an_address_that_is_given_up_while_its_mail_is_read_lets_nobody_in() {
    on_each(async |atom, principal| {
        let inner = atom.inner();
        let before = proved(&inner, SignInMethod::MagicLink).await;
        let mut tx = inner.db().expect("open").begin_durable().await.expect("begun");
        let new = NewAddress { before: EMAIL, email: "lovelace@example.com", canonical: "lovelace@example.com" };
        assert!(store::change_email(&mut tx, principal.user_id, new, inner.now()).await.expect("changed"));
        tx.commit().await.expect("committed");
        assert_eq!(reason(run(&inner, before).await), "proof_outdated");
    })
    .await;
}
