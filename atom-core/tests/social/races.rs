//! The owner of an address comes at the moment at which somebody who waits in the account signs in.
#![allow(clippy::print_stdout)] // how the race went

use super::*;

/// How often the race is run.
const ROUNDS: usize = 100;

/// Somebody who is back from the provider.
type Back = (Accounts, Secret, String);

async fn back(atom: &Atom, issuer: &IssuerStandIn, claims: Value) -> Back {
    let flow = atom.accounts().begin_social(at("house")).await.unwrap();
    let callback = issuer.decide(&flow.url, Some(claims)).unwrap();
    (atom.accounts(), flow.flow_token, callback)
}

async fn end((accounts, flow_token, callback): Back) -> Result<SignIn> {
    accounts.complete_social(flow_token, callback, None).await
}

on_both!(p11_whoever_signs_in_while_the_owner_comes_has_no_session_that_stands, |database| async move {
    let (atom, issuer) = open(&database).await;
    let provider = SignInProvider { trust_email: Some(true), ..issuer.provider() };
    let other = database.builder().sign_in_provider(provider).open().await.unwrap();
    let (mut in_time, mut too_late) = (0, 0);
    for round in 0..ROUNDS {
        let (eves, adas, address) = (format!("eve-{round}"), format!("ada-{round}"), format!("ada-{round}@example.com"));
        let eve = signed_in(&atom, &issuer, "house", unverified(&eves, &address)).await;
        let hers = back(&other, &issuer, unverified(&eves, &address)).await;
        let owners = back(&atom, &issuer, verified(&adas, &address)).await;
        let (hers, owners) = if round % 2 == 0 {
            let hers = tokio::spawn(end(hers));
            (hers, tokio::spawn(end(owners)))
        } else {
            let owners = tokio::spawn(end(owners));
            (tokio::spawn(end(hers)), owners)
        };
        let ada = owners.await.unwrap().unwrap().signed_in().unwrap();
        assert_eq!(ada.user.id, eve.user.id);
        match hers.await.unwrap() {
            Ok(SignIn::SignedIn { session }) => {
                in_time += 1;
                assert_eq!(reason(atom.authenticate_live(session.access_token).await), "session_revoked", "round {round}");
            }
            // Her identity is nobody's by then, and nobody vouches for her address.
            Ok(SignIn::LinkRequired { .. }) => {}
            Ok(_) => panic!("something else is asked of her"),
            Err(error) => {
                too_late += 1;
                assert_eq!(error.reason(), "proof_outdated", "round {round}");
            }
        }
        atom.authenticate_live(ada.access_token).await.expect("Ada's stands");
    }
    println!("of {ROUNDS} sign-ins of Eve's {in_time} were before Ada's, and {too_late} were overtaken by it");
});
