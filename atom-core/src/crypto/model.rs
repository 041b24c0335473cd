//! Where a key is kept outside of the process, as the options of an installation say it.

use crate::Secret;
use atom_macros::model;

/// An entry of the system's keychain: the Keychain of macOS, the Credential Manager of Windows, or on Linux the Secret Service of the
/// desktop (GNOME Keyring, KWallet, KeePassXC). Its value is a key in base64, as `OpenOptions.key` takes it.
///
/// Who loses the entry loses what it seals. Write its value down where backups are kept: it opens the installation as `key`, too.
#[model(default)]
pub struct KeychainOptions {
    /// The application, by a name that no other one has: `com.example.notes`.
    pub service: String,
    /// Which of the application's keys it is: `production`.
    pub account: String,
    /// Make the entry, with a fresh key, if there is none. Default: false, so that a lost key is noticed.
    pub create: Option<bool>,
}

/// A key in a hardware security module (HSM), smart card or other token with a PKCS#11 library. It is an AES-256 key that may encrypt and
/// decrypt, and never leaves the token.
///
/// Who loses the token loses what the key seals: back it up by the means of its vendor.
#[model(secret, default)]
pub struct Pkcs11Options {
    /// The path of the vendor's library: `/usr/lib/softhsm/libsofthsm2.so`. It runs in this process.
    pub module: String,
    /// The label of the token.
    pub token: String,
    /// The PIN of the token's user. It stays in memory, to log in again when the token was away. A wrong one is shown to the token once and
    /// never again by the same `Atom`, because tokens lock themselves after a few.
    pub pin: Secret,
    /// The label of the key, without spaces.
    pub key: String,
    /// Make the key in the token if there is none: it can be used there and not be read. Default: false, so that a lost key is noticed. Let
    /// one process do it, once.
    pub create: Option<bool>,
}
