//! The race for a token between processes, at a provider that ends the family of a refresh token that comes back.

use super::oidc::{ALMOST, LIFETIME, Oidc, repeat};
use super::skipped;
use crate::process::{alone, sized};
use crate::refresh_over_processes::{Part, race};
use crate::support::*;

on_both!(p35_four_processes_of_fifty_callers_rotate_once_per_expiry_and_the_family_lives, |database| async move {
    let Some(oidc) = Oidc::client(LIFETIME).await else { return skipped() };
    let _alone = alone().await;
    let atom = database.builder().provider(oidc.app()).open().await.unwrap();
    let (session, scope) = sign_up(&atom, "ada@example.com").await;
    let connection = oidc.connect(&scope, "ada").await;
    let rounds = sized(10, 100);
    race(&Part::new(&database, &session, &connection, oidc.app(), ALMOST), 4, rounds).await;
    assert_eq!(oidc.exchanges().await, repeat("refresh_token ok", rounds), "one rotation per expiry, none refused");
    assert_eq!(connection.request(oidc.me()).await.unwrap().status, 200, "the family lives");
});
