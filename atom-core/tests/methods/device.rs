//! Codes that the user types elsewhere.

use super::reason;
use crate::support::*;
use atom_core::testing::GoogleStandIn;
use atom_core::*;
use chrono::TimeDelta;

struct Place {
    atom: Atom,
    google: GoogleStandIn,
    clock: TestClock,
    session: Session,
    scope: Scope,
}

impl Place {
    async fn new(database: &Database) -> Self {
        let (google, clock) = (GoogleStandIn::start().await.unwrap(), TestClock::new());
        let atom = database.builder().clock(clock.clone()).provider(google.app()).open().await.unwrap();
        let (session, scope) = sign_up(&atom, "ada@example.com").await;
        Self { atom, google, clock, session, scope }
    }

    async fn start(&self) -> DeviceAuthorization {
        let request = StartDevice { provider: "google".into(), ..Default::default() };
        self.scope.connections().start_device(request).await.unwrap()
    }

    async fn poll(&self, id: DeviceFlowId) -> Result<DevicePoll> {
        self.scope.connections().poll_device(id).await
    }

    async fn asked(&self) -> i64 {
        self.google.hits("/token".into()).await.unwrap()
    }
}

on_both!(a_user_types_a_code_elsewhere_and_is_connected, |database| async move {
    let place = Place::new(&database).await;
    let shown = place.start().await;
    assert_eq!(shown.verification_url, "https://www.google.com/device");
    assert!(shown.user_code.starts_with("GQVQ-") && shown.poll_at < shown.expires_at);
    let early = place.poll(shown.id).await.unwrap();
    assert_eq!((early.state, early.poll_at, place.asked().await), (DeviceState::Pending, Some(shown.poll_at), 0));

    place.clock.advance(TimeDelta::seconds(5));
    assert_eq!(place.poll(shown.id).await.unwrap().state, DeviceState::Pending);
    assert_eq!(place.asked().await, 1);
    place.google.approve_device(shown.user_code, "ada@gmail.example".into()).await.unwrap();
    assert_eq!(place.poll(shown.id).await.unwrap().state, DeviceState::Pending, "not before the interval has passed");
    place.clock.advance(TimeDelta::seconds(5));
    let done = place.poll(shown.id).await.unwrap();
    assert_eq!((done.state, done.poll_at), (DeviceState::Connected, None));
    assert_eq!(place.poll(shown.id).await.unwrap(), done, "it stays so");
    assert_eq!(place.asked().await, 2);

    let connection = place.scope.connections().open(done.connection_id.unwrap()).await.unwrap();
    let account = connection.account().await.unwrap();
    assert_eq!((account.method.as_str(), account.email.as_deref()), ("device", Some("ada@gmail.example")));
    assert!(account.scopes.iter().any(|scope| scope.ends_with("drive.file")) && account.scopes.len() == 4);
    place.clock.advance(TimeDelta::hours(1));
    connection.access_token().await.expect("it is renewed as any consent is");
    connection.revoke().await.unwrap();
    assert_eq!(place.google.hits("/revoke".into()).await.unwrap(), 1, "and withdrawn");
});

on_both!(of_all_processes_one_asks_per_interval, |database| async move {
    let place = Place::new(&database).await;
    let shown = place.start().await;
    let other = database.builder().clock(place.clock.clone()).provider(place.google.app()).open().await.unwrap();
    let other = other.act_as(place.session.user.id, place.session.workspace.id).await.unwrap();
    for round in 1..=3 {
        place.clock.advance(TimeDelta::seconds(5));
        let polls = (0..20).map(|n| {
            let connections = if n % 2 == 0 { place.scope.connections() } else { other.connections() };
            tokio::spawn(async move { connections.poll_device(shown.id).await.unwrap().state })
        });
        for poll in polls.collect::<Vec<_>>() {
            assert_eq!(poll.await.unwrap(), DeviceState::Pending);
        }
        assert_eq!(place.asked().await, round);
    }
    place.google.approve_device(shown.user_code, "ada@gmail.example".into()).await.unwrap();
    place.clock.advance(TimeDelta::seconds(5));
    let done = other.connections().poll_device(shown.id).await.unwrap();
    assert_eq!(done.state, DeviceState::Connected, "any process finds it");
    assert_eq!(place.poll(shown.id).await.unwrap(), done);
});

on_both!(a_user_may_decline_and_a_code_expires, |database| async move {
    let place = Place::new(&database).await;
    let (declined, expired) = (place.start().await, place.start().await);
    place.google.decline_device(declined.user_code).await.unwrap();
    place.clock.advance(TimeDelta::seconds(5));
    for _ in 0..2 {
        let error = place.poll(declined.id).await.err().unwrap();
        assert_eq!((error.kind(), error.reason(), error.provider()), (ErrorKind::Cancelled, "consent_declined", Some("google")));
    }
    place.clock.advance(TimeDelta::minutes(31));
    assert_eq!(reason(place.poll(expired.id).await), "device_code_expired");
    assert_eq!(place.asked().await, 1, "what is over is not asked about");
    assert!(place.scope.connections().list().await.unwrap().is_empty());
});

on_both!(a_fault_of_the_provider_ends_nothing, |database| async move {
    let place = Place::new(&database).await;
    let shown = place.start().await;
    place.google.approve_device(shown.user_code, "ada@gmail.example".into()).await.unwrap();
    place.clock.advance(TimeDelta::seconds(5));
    place.google.fail_next("/token".into(), 503, 1).await.unwrap();
    let error = place.poll(shown.id).await.err().unwrap();
    assert_eq!((error.kind(), error.reason()), (ErrorKind::Unavailable, "provider_unavailable"));
    assert_eq!(place.poll(shown.id).await.unwrap().state, DeviceState::Pending);
    place.clock.advance(TimeDelta::seconds(5));
    assert_eq!(place.poll(shown.id).await.unwrap().state, DeviceState::Connected);
});

on_both!(p25_another_users_code_is_not_there, |database| async move {
    let place = Place::new(&database).await;
    let shown = place.start().await;
    let (_, bob) = sign_up(&place.atom, "bob@example.com").await;
    place.google.approve_device(shown.user_code, "ada@gmail.example".into()).await.unwrap();
    place.clock.advance(TimeDelta::seconds(5));
    assert_eq!(bob.connections().poll_device(shown.id).await.err().unwrap().kind(), ErrorKind::NotFound);
    assert_eq!(place.asked().await, 0);
    assert_eq!(place.poll(shown.id).await.unwrap().state, DeviceState::Connected);
});
