//! Our relying party beside the client and the authenticator that 1Password wrote.
#![allow(clippy::print_stdout, clippy::unwrap_used)] // what was skipped is said

use atom_core::{Atom, Credentials, FactorKind, Json, LocalKey, NewAccount, PasskeyCredentials, Scope, SignIn};
use passkey::authenticator::{Authenticator, UiHint, UserCheck, UserValidationMethod};
use passkey::client::{Client, DefaultClientData, WebauthnError};
use passkey::crypto::rust_crypto::RustCryptoBackend;
use passkey::types::Passkey;
use passkey::types::ctap2::{Aaguid, Ctap2Error};
use serde_json::{Value, json};
use sqlx::{Connection as _, Executor as _, PgConnection};
use url::Url;

const PASSWORD: &str = "an engine of brass and thought";

/// Somebody at the device, whom it knows.
struct User;

#[async_trait::async_trait]
impl UserValidationMethod for User {
    type PasskeyItem = Passkey;

    async fn check_user<'a>(
        &self,
        _hint: UiHint<'a, Self::PasskeyItem>,
        presence: bool,
        verification: bool,
    ) -> Result<UserCheck, Ctap2Error> {
        Ok(UserCheck { presence, verification })
    }

    fn is_presence_enabled(&self) -> bool {
        true
    }

    fn is_verification_enabled(&self) -> Option<bool> {
        Some(true)
    }
}

/// A browser on a page, and a device with one passkey.
struct Browser {
    page: Url,
    device: Device,
}

type Device = Client<Option<Passkey>, User, RustCryptoBackend, public_suffix::PublicSuffixList, ()>;

impl Browser {
    fn new(counts: bool) -> Self {
        let mut authenticator = Authenticator::new(Aaguid::new_empty(), None, User, RustCryptoBackend);
        authenticator.set_make_credentials_with_signature_counter(counts);
        Self { page: "https://notes.acme.example".parse().unwrap(), device: Client::new(authenticator) }
    }

    /// What `navigator.credentials.create` gives, as `toJSON` writes it.
    async fn create(&mut self, options: &Value) -> Result<Value, WebauthnError> {
        let request = serde_json::from_value(json!({ "publicKey": options })).unwrap();
        let made = self.device.register(&self.page, request, DefaultClientData).await?;
        Ok(serde_json::to_value(made).unwrap())
    }

    /// What `navigator.credentials.get` gives.
    async fn get(&mut self, options: &Value) -> Result<Value, WebauthnError> {
        let request = serde_json::from_value(json!({ "publicKey": options })).unwrap();
        let signed = self.device.authenticate(&self.page, request, DefaultClientData).await?;
        Ok(serde_json::to_value(signed).unwrap())
    }
}

async fn open(url: &str) -> Atom {
    let builder = Atom::builder(url).key(LocalKey::generate().unwrap()).app_name("Acme");
    let builder = builder.passkey_rp_id("acme.example").passkey_origins(["https://notes.acme.example"]);
    builder.open().await.unwrap()
}

async fn sign_up(atom: &Atom, email: &str) -> Scope {
    let account = NewAccount { email: email.into(), password: PASSWORD.into(), ..Default::default() };
    let session = atom.accounts().sign_up(account).await.unwrap();
    atom.authenticate(session.access_token).await.unwrap()
}

async fn add(scope: &Scope, browser: &mut Browser) {
    let challenge = scope.factors().begin_passkey().await.unwrap();
    let answer = browser.create(&challenge.options.0).await.unwrap();
    let added = scope.factors().confirm_passkey(challenge.token, Json(answer), Some("laptop".into())).await.unwrap();
    assert_eq!((added.factor.kind, added.recovery_codes.len()), (FactorKind::Passkey, 10));
}

async fn enter(atom: &Atom, browser: &mut Browser) -> atom_core::Result<SignIn> {
    let challenge = atom.accounts().begin_passkey_sign_in().await.unwrap();
    let answer = Json(browser.get(&challenge.options.0).await.unwrap());
    let credentials = PasskeyCredentials { token: challenge.token, answer, ..Default::default() };
    atom.accounts().sign_in_with_passkey(credentials).await
}

/// All that is done with a passkey.
async fn journey(url: &str) {
    let atom = open(url).await;
    // One device counts its signatures, the other does not.
    for (email, counts) in [("ada@example.com", true), ("bob@example.com", false)] {
        let scope = sign_up(&atom, email).await;
        let mut browser = Browser::new(counts);
        add(&scope, &mut browser).await;
        for _ in 0..3 {
            let session = enter(&atom, &mut browser).await.unwrap().signed_in().unwrap();
            assert_eq!(session.user.id, scope.principal().user_id);
        }
        let challenge = scope.step_up().begin_passkey().await.unwrap();
        let answer = browser.get(&challenge.options.0).await.unwrap();
        scope.step_up().with_passkey(challenge.token, Json(answer)).await.unwrap();

        let credentials = Credentials { email: email.into(), password: PASSWORD.into(), ..Default::default() };
        let SignIn::FactorRequired { pending } = atom.accounts().sign_in(credentials).await.unwrap() else {
            panic!("the password was enough")
        };
        let challenge = atom.accounts().begin_passkey_factor(pending.token.clone()).await.unwrap();
        let answer = Json(browser.get(&challenge.options.0).await.unwrap());
        atom.accounts().complete_with_passkey(pending.token, challenge.token, answer).await.unwrap().signed_in().unwrap();

        // A page of the same site that is not ours.
        browser.page = "https://blog.acme.example".parse().unwrap();
        assert_eq!(enter(&atom, &mut browser).await.err().unwrap().reason(), "passkey_wrong_origin");
    }
    atom.shut_down().await.unwrap();
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_passkey_of_another_hand_signs_in_on_sqlite() {
    let folder = tempfile::tempdir().unwrap();
    journey(&format!("sqlite:{}", folder.path().join("atom.db").display())).await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_passkey_of_another_hand_signs_in_on_postgres() {
    let Ok(server) = std::env::var("ATOM_TEST_POSTGRES") else {
        println!("skipped: ATOM_TEST_POSTGRES is not set");
        return;
    };
    let name = format!("atom_passkeys_{}", std::process::id());
    let mut connection = PgConnection::connect(&server).await.unwrap();
    connection.execute(sqlx::AssertSqlSafe(format!("CREATE DATABASE {name}"))).await.unwrap();
    journey(&format!("{}/{name}", server.rsplit_once('/').unwrap().0)).await;
    connection.execute(sqlx::AssertSqlSafe(format!("DROP DATABASE {name} WITH (FORCE)"))).await.unwrap();
}
