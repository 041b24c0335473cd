//! A key in the system's keychain, which keeps it across restarts of the machine.
//!
//! Linux has a keychain where a desktop session runs the Secret Service. The kernel's keyrings (keyutils) are none: what is in them is gone
//! with the next restart, and the vault would be lost. A server without a desktop gets an error that says so, never a key from elsewhere.

#[cfg(any(target_os = "macos", target_os = "windows", test))]
mod native;
#[cfg(all(unix, not(any(target_vendor = "apple", target_os = "android"))))]
mod secret_service;

#[cfg(any(target_os = "macos", target_os = "windows"))]
use native as system;
#[cfg(all(unix, not(any(target_vendor = "apple", target_os = "android"))))]
use secret_service as system;

use super::{KeychainOptions, LocalKey};
use crate::{Error, Result, Secret};
use std::fs::File;
use std::path::PathBuf;
use zeroize::Zeroize;

impl LocalKey {
    /// Reads the key from the system's keychain, or makes it there if the options say so. The keychain may ask the person at the screen to
    /// unlock it.
    ///
    /// On macOS it is the login Keychain, on Windows the Credential Manager, on Linux and the BSDs the Secret Service of the desktop session;
    /// the entry has the attributes `service` and `username`, so that `secret-tool lookup service … username …` shows it. On Android and iOS
    /// use a key provider of your own over the system's key store.
    ///
    /// # Errors
    /// - `sealed`: `keychain_unavailable` (this machine or session has none: use `key_file`, `ATOM_KEY` or a key service there),
    ///   `keychain_locked` (unlock it and call again), `no_key` (there is no such entry), `key_ambiguous` (there are several),
    ///   `malformed_key` (its value is no key), `keychain_failed`
    /// - `invalid`: `malformed_option`
    pub async fn from_keychain(options: &KeychainOptions) -> Result<Self> {
        if options.service.is_empty() || options.account.is_empty() {
            return Err(Error::invalid("malformed_option", "an entry of the keychain has a `service` and an `account`"));
        }
        if let Some(text) = system::read(options).await? {
            return Self::from_base64(&text);
        }
        if options.create != Some(true) {
            let text = "the keychain has no such entry: restore it; without it the stored secrets stay sealed. `create` makes one for a new \
                        installation";
            return Err(Error::sealed("no_key", text));
        }
        // Two processes that start together must not each make a key.
        let _alone = alone().await?;
        if let Some(text) = system::read(options).await? {
            return Self::from_base64(&text);
        }
        let key = Self::generate()?;
        system::add(options, &key.to_base64()).await?;
        // Nothing is sealed with a key that the keychain does not give back.
        match system::read(options).await? {
            Some(text) if text == key.to_base64() => Ok(key),
            _ => Err(Error::sealed(
                "keychain_failed",
                "the keychain does not give back what it was given: repair it; nothing was sealed",
            )),
        }
    }
}

/// Waits until no other process of this user makes an entry. It ends with what is returned, or with the process.
async fn alone() -> Result<File> {
    let folder = std::env::var_os("XDG_RUNTIME_DIR").map_or_else(std::env::temp_dir, PathBuf::from);
    let lock = move || {
        let user = std::env::var("USER").or_else(|_| std::env::var("USERNAME")).unwrap_or_default();
        let name = format!("atom-keychain-{}.lock", user.replace(|c: char| !c.is_alphanumeric(), "_"));
        let file = File::options().create(true).append(true).open(folder.join(name))?;
        file.lock().map(|()| file)
    };
    let locked = tokio::task::spawn_blocking(lock).await;
    locked.map_err(std::io::Error::other).and_then(|locked| locked).map_err(|e| {
        let text = "no file can be locked in the folder for temporary files, so the entry was not made: check that folder";
        Error::sealed("keychain_failed", text).with_source(e)
    })
}

/// The text of an entry.
fn text(bytes: Vec<u8>) -> Result<Secret> {
    String::from_utf8(bytes).map(Secret::from).map_err(|e| {
        e.into_bytes().zeroize();
        Error::sealed("malformed_key", "the entry of the keychain is no key in base64: restore it")
    })
}

fn locked() -> Error {
    let text = "the keychain is locked, and was not unlocked: unlock it, by logging in to the desktop or with its own tool, and call again";
    Error::sealed("keychain_locked", text)
}

fn ambiguous() -> Error {
    Error::sealed(
        "key_ambiguous",
        "the keychain has several entries of this service and account: leave the one that belongs here",
    )
}

fn unavailable() -> Error {
    let text = "this machine or session has no keychain, as servers without a desktop have none: give the key in `key_file` or ATOM_KEY, or \
                keep it in a key service";
    Error::sealed("keychain_unavailable", text)
}

/// Android and iOS keep keys for an app by other means, which only the app reaches.
#[cfg(any(target_os = "ios", target_os = "android"))]
mod system {
    use super::{KeychainOptions, Result, Secret, unavailable};

    pub(super) async fn read(_: &KeychainOptions) -> Result<Option<Secret>> {
        Err(unavailable())
    }

    pub(super) async fn add(_: &KeychainOptions, _: &Secret) -> Result<()> {
        Err(unavailable())
    }
}
