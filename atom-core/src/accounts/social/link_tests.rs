//! Links whose session, or whose address, is somebody else's by the time that the provider has answered.

use super::*;
use crate::accounts::fixtures::{EMAIL, on_each};
use crate::accounts::verified;

fn person(subject: &str, address: &str) -> Person {
    Person {
        provider: "house".into(),
        issuer: "https://login.example.com".into(),
        subject: subject.into(),
        email: Some(address.into()),
        is_email_trusted: true,
        name: None,
    }
}

async fn user(inner: &Inner, id: UserId) -> User {
    accounts::user(inner.db().expect("open"), id).await.expect("read").expect("there").into_user()
}

#[tokio::test]
async fn p11_an_account_that_is_adopted_while_its_maker_links_an_identity_keeps_none() {
    on_each(async |atom, makers| {
        let inner = atom.inner();
        // The maker has shown a fresh proof, and is at the provider when the owner comes.
        step_up::require(&inner, &makers).await.expect("fresh");
        verified::adopt(&inner, user(&inner, makers.user_id).await).await.expect("adopted");
        let late = by_user(&inner, &makers, &person("eve", "eve@example.com")).await;
        assert_eq!(late.expect_err("refused").reason(), "session_revoked");
        assert!(store::list(inner.db().expect("open"), makers.user_id).await.expect("listed").is_empty());
    })
    .await;
}

#[tokio::test]
async fn p10_an_address_that_is_given_up_or_not_verified_links_nobody() {
    on_each(async |atom, ada| {
        let inner = atom.inner();
        let db = inner.db().expect("open");
        let try_to = async || {
            let user = user(&inner, ada.user_id).await;
            implicit(&inner, &person("ada", EMAIL), &user, EMAIL).await.map_err(|error| error.reason())
        };
        assert_eq!(try_to().await, Err("account_changed"), "it is not verified");
        verified::adopt(&inner, user(&inner, ada.user_id).await).await.expect("adopted");
        let mut tx = db.begin_durable().await.expect("begun");
        let new = accounts::NewAddress { before: EMAIL, email: "eve@example.com", canonical: "eve@example.com" };
        assert!(accounts::change_email(&mut tx, ada.user_id, new, inner.now()).await.expect("changed"));
        tx.commit().await.expect("committed");
        assert_eq!(try_to().await, Err("account_changed"), "it is another");
        assert!(store::list(db, ada.user_id).await.expect("listed").is_empty());
    })
    .await;
}
