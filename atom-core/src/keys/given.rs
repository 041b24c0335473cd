//! The key-encryption keys that an installation is opened with: the host's own, those that the options name, or those of the environment.

use crate::config::OpenOptions;
use crate::crypto::{KeyProvider, LocalKey, WrappingKeys};
use crate::storage::PRIVATE;
use crate::{Error, ErrorKind, KeychainOptions, Pkcs11Options, Result, Secret};
use std::path::Path;
use std::sync::Arc;

type Provider = Arc<dyn KeyProvider>;

/// Without a key nothing starts: there is no unencrypted mode.
pub(crate) async fn given(options: &OpenOptions, host: Option<Provider>, mut accepted: Vec<Provider>) -> Result<WrappingKeys> {
    let OpenOptions { key, key_file, keychain, pkcs11, .. } = options;
    let named = [host.is_some(), key.is_some(), key_file.is_some(), keychain.is_some(), pkcs11.is_some()];
    let count = named.into_iter().filter(|is_named| *is_named).count();
    if count > 1 {
        return Err(Error::invalid(
            "malformed_option",
            "give one key: `key`, `key_file`, `keychain`, `pkcs11`, or the host's own",
        ));
    }
    // A key may have to be made, so whatever is refused comes first.
    accept(options, count == 0, &mut accepted).await?;
    let current = if let Some(host) = host {
        host
    } else if let Some(text) = key {
        Arc::new(LocalKey::from_base64(text)?)
    } else if let Some(path) = key_file {
        let create = options.create_key_file == Some(true) && !Path::new(path).exists();
        Arc::new(if create { LocalKey::create_file(path)? } else { LocalKey::from_file(path)? })
    } else if let Some(entry) = keychain {
        self::keychain(entry).await?
    } else if let Some(place) = pkcs11 {
        self::pkcs11(place).await?
    } else if options.database_url == PRIVATE {
        // What vanishes with the process needs no key that outlives it.
        Arc::new(LocalKey::generate()?)
    } else {
        Arc::new(from_environment()?)
    };
    WrappingKeys::new(current, accepted)
}

fn from_environment() -> Result<LocalKey> {
    let text = std::env::var("ATOM_KEY").map_err(|_| {
        let text = "there is no key: pass `key`, `key_file`, `keychain` or `pkcs11`, or set ATOM_KEY to 32 random bytes in base64 \
                    (`openssl rand -base64 32`)";
        Error::sealed("no_key", text)
    })?;
    LocalKey::from_base64(&text.into())
}

/// Further keys, from the options or, beside that of the environment, from there.
async fn accept(options: &OpenOptions, is_from_environment: bool, accepted: &mut Vec<Provider>) -> Result<()> {
    let mut texts: Vec<Secret> = options.accepted_keys.clone().unwrap_or_default();
    if is_from_environment && let Ok(list) = std::env::var("ATOM_ACCEPTED_KEYS") {
        texts.extend(list.split([',', ' ']).filter(|text| !text.is_empty()).map(Secret::from));
    }
    for text in &texts {
        accepted.push(Arc::new(LocalKey::from_base64(text)?));
    }
    for path in options.accepted_key_files.iter().flatten() {
        accepted.push(Arc::new(LocalKey::from_file(path)?));
    }
    for entry in options.accepted_keychains.iter().flatten() {
        accepted.push(keychain(&KeychainOptions { create: None, ..entry.clone() }).await?);
    }
    for place in options.accepted_pkcs11.iter().flatten() {
        accepted.push(pkcs11(&Pkcs11Options { create: None, ..place.clone() }).await?);
    }
    Ok(())
}

#[cfg(feature = "keychain")]
async fn keychain(entry: &KeychainOptions) -> Result<Provider> {
    Ok(Arc::new(LocalKey::from_keychain(entry).await?))
}

#[cfg(not(feature = "keychain"))]
async fn keychain(_: &KeychainOptions) -> Result<Provider> {
    Err(feature_missing("keychain"))
}

#[cfg(feature = "pkcs11")]
async fn pkcs11(place: &Pkcs11Options) -> Result<Provider> {
    Ok(Arc::new(crate::Pkcs11Key::open(place).await?))
}

#[cfg(not(feature = "pkcs11"))]
async fn pkcs11(_: &Pkcs11Options) -> Result<Provider> {
    Err(feature_missing("pkcs11"))
}

#[cfg_attr(all(feature = "keychain", feature = "pkcs11"), allow(dead_code))]
fn feature_missing(feature: &str) -> Error {
    let text =
        format!("Atom was built without its cargo feature `{feature}`: build it with that, or give the key in another way");
    Error::new(ErrorKind::Unsupported, "feature_missing", text)
}
