//! Several token sets of one connection: one that stands in the same answer, and one that is made of the same refresh token.

use super::*;
use chrono::TimeDelta;
use std::collections::HashSet;

impl Place {
    async fn who(&self, connection: &Connection, path: &str, set: Option<&str>) -> String {
        let request = RawRequest { token_set: set.map(str::to_owned), ..self.get(path) };
        let answer = connection.request(request).await.unwrap();
        assert_eq!(answer.status, 200, "{path}");
        answer.json.unwrap().0["id"].as_str().unwrap().to_owned()
    }
}

on_both!(one_consent_gives_two_tokens_that_are_renewed_on_their_own, |database| async move {
    let place = Place::new(&database).await;
    let connection = place.agree("oauth2", "ada").await.unwrap();
    assert_eq!(place.who(&connection, "/me", None).await, "ada-bot");
    assert_eq!(place.who(&connection, "/me", Some("person")).await, "ada");
    let token = connection.access_token_of("person".into()).await.unwrap();
    assert_eq!(token.scopes, ["person:read"]);
    assert_eq!(place.vendor.hits("/token"), 1);

    for round in 1..4 {
        place.clock.advance(TimeDelta::hours(1));
        let callers: Vec<_> = (0..50)
            .map(|n| {
                let connection = connection.clone();
                let set = if n % 2 == 0 { "default" } else { "person" };
                tokio::spawn(async move { connection.access_token_of(set.into()).await.unwrap().token.expose().to_owned() })
            })
            .collect();
        let mut tokens = HashSet::new();
        for caller in callers {
            tokens.insert(caller.await.unwrap());
        }
        assert_eq!(tokens.len(), 2);
        assert_eq!(place.vendor.hits("/token"), 1 + 2 * round, "one exchange per set and expiry");
    }
    assert_eq!(place.who(&connection, "/me", Some("person")).await, "ada");
});

on_both!(a_token_for_another_audience_is_made_of_the_same_grant_and_spends_it_in_turn, |database| async move {
    let place = Place::new(&database).await;
    let connection = place.agree("oauth2", "ada").await.unwrap();
    assert_eq!(place.who(&connection, "/files/me", Some("files")).await, "ada-bot");
    assert_eq!(place.who(&connection, "/me", None).await, "ada-bot", "the first set is as it was");
    assert_eq!(place.vendor.hits("/token"), 2);

    let other = database.builder().clock(place.clock.clone()).provider(place.vendor.app()).open().await.unwrap();
    let other = other.act_as(place.session.user.id, place.session.workspace.id).await.unwrap();
    let same = other.connections().open(connection.id()).await.unwrap();
    for round in 1..5 {
        place.clock.advance(TimeDelta::hours(1));
        // A refresh token works once, and a second use of it ends the family: two at once would be the end.
        let callers: Vec<_> = (0..60)
            .map(|n| {
                let connection = if n % 4 < 2 { connection.clone() } else { same.clone() };
                let set = if n % 2 == 0 { "default" } else { "files" };
                tokio::spawn(async move { connection.access_token_of(set.into()).await.unwrap().token.expose().to_owned() })
            })
            .collect();
        let mut tokens = HashSet::new();
        for caller in callers {
            tokens.insert(caller.await.unwrap());
        }
        assert_eq!(tokens.len(), 2);
        assert_eq!(place.vendor.hits("/token"), 2 + 2 * round);
    }
    place.vendor.expire_tokens();
    assert_eq!(place.who(&connection, "/files/me", Some("files")).await, "ada-bot", "after a 401");
    assert_eq!(place.who(&connection, "/me", None).await, "ada-bot");
});

on_both!(a_set_that_the_provider_refuses_leaves_the_others_alone, |database| async move {
    let place = Place::new(&database).await;
    let connection = place.agree("oauth2", "ada").await.unwrap();
    let error = connection.access_token_of("secrets".into()).await.err().unwrap();
    assert_eq!((error.kind(), error.reason()), (ErrorKind::ReauthRequired, "grant_insufficient"));
    assert_eq!(connection.account().await.unwrap().state, ConnectionState::Active);
    assert_eq!(place.who(&connection, "/me", None).await, "ada-bot");
    place.clock.advance(TimeDelta::hours(1));
    assert_eq!(place.who(&connection, "/me", None).await, "ada-bot");

    let error = connection.access_token_of("nothing".into()).await.err().unwrap();
    assert_eq!((error.kind(), error.reason()), (ErrorKind::NotConnected, "no_token_set"));
});

on_both!(
    a_provider_is_not_asked_again_for_a_set_that_it_refuses_until_a_day_later_or_the_user_agrees_anew,
    |database| async move {
        let place = Place::new(&database).await;
        let connection = place.agree("oauth2", "ada").await.unwrap();
        let refused = async || reason(connection.access_token_of("secrets".into()).await);
        assert_eq!((refused().await, place.vendor.hits("/token")), ("grant_insufficient", 2));
        let other = database.builder().clock(place.clock.clone()).provider(place.vendor.app()).open().await.unwrap();
        let other = other.act_as(place.session.user.id, place.session.workspace.id).await.unwrap();
        let same = other.connections().open(connection.id()).await.unwrap();
        for _ in 0..5 {
            assert_eq!(refused().await, "grant_insufficient");
            assert_eq!(reason(same.access_token_of("secrets".into()).await), "grant_insufficient", "other processes know it too");
        }
        place.clock.advance(TimeDelta::minutes(30));
        assert_eq!(refused().await, "grant_insufficient");
        assert_eq!(place.vendor.hits("/token"), 2, "it was asked for the code, and once for the set");

        place.clock.advance(TimeDelta::hours(24));
        assert_eq!(
            (refused().await, place.vendor.hits("/token")),
            ("grant_insufficient", 3),
            "the account may have changed in a day"
        );
        place.agree("oauth2", "ada").await.unwrap();
        assert_eq!((refused().await, place.vendor.hits("/token")), ("grant_insufficient", 5), "and the user by agreeing anew");
        assert_eq!(place.who(&connection, "/files/me", Some("files")).await, "ada-bot", "other sets are not concerned");
    }
);

on_both!(p36_a_lost_answer_for_one_set_is_a_doubt_about_the_grant_that_it_was_made_of, |database| async move {
    let place = Place::new(&database).await;
    let connection = place.agree("oauth2", "ada").await.unwrap();
    place.vendor.lose_next("/token", 1);
    assert_eq!(reason(connection.access_token_of("files".into()).await), "broken_answer");
    assert_eq!(place.who(&connection, "/me", None).await, "ada-bot", "the first set's own token is still good");
    place.clock.advance(TimeDelta::hours(1));
    let error = connection.access_token().await.err().unwrap();
    assert_eq!((error.kind(), error.reason()), (ErrorKind::ReauthRequired, "refresh_lost"), "its refresh token was spent");
});

on_both!(connecting_again_makes_all_sets_new, |database| async move {
    let place = Place::new(&database).await;
    let connection = place.agree("oauth2", "ada").await.unwrap();
    let old = connection.access_token_of("files".into()).await.unwrap().token;
    let again = place.agree("oauth2", "ada").await.unwrap();
    assert_eq!(again.id(), connection.id());
    assert!(connection.access_token_of("files".into()).await.unwrap().token != old);
    connection.revoke().await.unwrap();
    for set in ["default", "person", "files"] {
        assert_eq!(reason(connection.access_token_of(set.into()).await), "disconnected", "{set}");
    }
});
