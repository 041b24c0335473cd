//! Second factors: authenticator apps, recovery codes, sign-ins that wait for one, and what is asked before a factor changes.

mod authenticator;
mod managing;
mod passkeys;
mod pending;
mod race;
mod recovery_codes;
mod step_up;
mod totp;

use crate::support::*;
use atom_core::testing::totp_code;
use atom_core::*;
use chrono::TimeDelta;

/// An authenticator app.
pub(crate) struct App {
    pub(crate) id: FactorId,
    secret: Secret,
    clock: TestClock,
}

impl App {
    /// What it shows now.
    pub(crate) fn code(&self) -> Secret {
        totp_code(&self.secret, self.clock.now())
    }

    /// What it shows when it shows something else.
    fn next_code(&self) -> Secret {
        self.clock.advance(TimeDelta::seconds(30));
        self.code()
    }
}

/// Ada's installation, with a clock that only the test moves.
async fn opened(database: &Database) -> (Atom, TestClock, Session, Scope) {
    let clock = TestClock::stopped();
    let atom = database.builder().clock(clock.clone()).open().await.unwrap();
    let (session, scope) = sign_up(&atom, "ada@example.com").await;
    (atom, clock, session, scope)
}

/// Adds an authenticator app, and returns the recovery codes that came with it.
pub(crate) async fn add_app(scope: &Scope, clock: &TestClock) -> (App, Vec<Secret>) {
    let setup = scope.factors().begin_totp(Some("phone".into())).await.unwrap();
    let app = App { id: setup.id, secret: setup.secret, clock: clock.clone() };
    let added = scope.factors().confirm_totp(app.id, app.code()).await.unwrap();
    (app, added.recovery_codes)
}

/// Adds a passkey of some authenticator.
pub(crate) async fn add_passkey(scope: &Scope) {
    let challenge = scope.factors().begin_passkey().await.unwrap();
    let answer = authenticator::Authenticator::new(authenticator::Key::es256()).create(&challenge.options.0);
    scope.factors().confirm_passkey(challenge.token, Json(answer), None).await.unwrap();
}

/// A sign-in with the password, which waits for a factor.
async fn pending(atom: &Atom) -> PendingFactor {
    match atom.accounts().sign_in(credentials("ada@example.com", PASSWORD)).await.unwrap() {
        SignIn::FactorRequired { pending } => pending,
        _ => panic!("the password was enough"),
    }
}

fn wrong(code: &Secret) -> Secret {
    let digit = if code.expose().starts_with('0') { "1" } else { "0" };
    format!("{digit}{}", &code.expose()[1..]).into()
}
