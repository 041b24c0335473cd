//! Installations for the tests inside of accounts.

use super::{Credentials, NewAccount, Principal};
use crate::storage::testing;
use crate::{Atom, LocalKey};

pub(super) const EMAIL: &str = "ada@example.com";
pub(super) const PASSWORD: &str = "an engine of brass";

/// Has a test run in a fresh installation on each database, in which somebody has signed up with Ada's address.
pub(super) async fn on_each(test: impl AsyncFn(Atom, Principal)) {
    let folder = tempfile::tempdir().expect("a folder");
    for url in testing::fresh(folder.path()).await {
        let key = LocalKey::from_base64(&"AAECAwQFBgcICQoLDA0ODxAREhMUFRYXGBkaGxwdHh8=".into()).expect("a key");
        let atom = Atom::builder(&url).key(key).open().await.expect("open");
        let account = NewAccount { email: EMAIL.into(), password: PASSWORD.into(), ..Default::default() };
        let session = atom.accounts().sign_up(account).await.expect("signed up");
        let principal = atom.authenticate(session.access_token).await.expect("authenticated").principal();
        test(atom, principal).await;
    }
}

/// Whether somebody gets in with a password.
pub(super) async fn opens(atom: &Atom, password: &str) -> bool {
    let credentials = Credentials { email: EMAIL.into(), password: password.into(), ..Default::default() };
    atom.accounts().sign_in(credentials).await.is_ok()
}
