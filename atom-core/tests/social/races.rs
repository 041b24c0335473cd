//! The owner of an address comes at the moment at which somebody who waits in the account signs in.

use super::*;

/// How often the race is run.
const ROUNDS: usize = 100;

on_both!(p11_whoever_signs_in_while_the_owner_comes_has_no_session_that_stands, |database| async move {
    let (atom, issuer) = open(&database).await;
    let other = {
        let provider = SignInProvider { trust_email: Some(true), ..issuer.provider() };
        database.builder().sign_in_provider(provider).open().await.unwrap()
    };
    let mut before = 0;
    for round in 0..ROUNDS {
        // Eve has an account that nobody has verified, and moves its address to Ada's.
        let eves = format!("eve-{round}");
        let eve = signed_in(&atom, &issuer, "house", unverified(&eves, &format!("{eves}@example.com"))).await;
        let (address, user) = (format!("ada-{round}@example.com"), eve.user.id);
        let moved = format!("UPDATE atom_users SET email = '{address}', email_canonical = '{address}' WHERE email = '{eves}@example.com'");
        sql(&database, moved.clone(), moved).await;

        let comes = |atom: &Atom, claims: Value| {
            let (atom, issuer) = (atom.clone(), &issuer);
            async move {
                let flow = atom.accounts().begin_social(at("house")).await.unwrap();
                let callback = issuer.decide(&flow.url, Some(claims)).unwrap();
                tokio::spawn(async move { atom.accounts().complete_social(flow.flow_token, callback, None).await })
            }
        };
        let hers = comes(&other, unverified(&eves, &format!("{eves}@example.com"))).await;
        let owners = comes(&atom, verified(&format!("ada-{round}"), &address)).await;
        let ada = owners.await.unwrap().unwrap().signed_in().unwrap();
        assert_eq!(ada.user.id, user);
        match hers.await.unwrap() {
            Ok(answer) => {
                let session = answer.signed_in().unwrap();
                if session.user.id == user {
                    before += 1;
                    assert_eq!(reason(atom.authenticate_live(session.access_token).await), "session_revoked", "round {round}");
                }
            }
            Err(error) => assert_eq!(error.reason(), "proof_outdated", "round {round}"),
        }
        atom.authenticate_live(ada.access_token).await.expect("Ada's stands");
    }
    println!("Eve was first in {before} of {ROUNDS} rounds");
});
