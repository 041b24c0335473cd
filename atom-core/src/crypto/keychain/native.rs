//! The keychains of macOS and Windows, through the crates of the keyring project.

#[cfg(any(target_os = "macos", target_os = "windows"))]
use super::KeychainOptions;
use super::{ambiguous, locked, text, unavailable};
use crate::{Error, Result, Secret};
use keyring_core::{Entry, Error as StoreError};

#[cfg(any(target_os = "macos", target_os = "windows"))]
pub(super) async fn read(options: &KeychainOptions) -> Result<Option<Secret>> {
    with_entry(options, |entry| read_entry(entry)).await
}

#[cfg(any(target_os = "macos", target_os = "windows"))]
pub(super) async fn add(options: &KeychainOptions, key: &Secret) -> Result<()> {
    let key = key.clone();
    with_entry(options, move |entry| add_entry(entry, &key)).await
}

/// The system may ask a person, so its calls block.
#[cfg(any(target_os = "macos", target_os = "windows"))]
async fn with_entry<T: Send + 'static>(
    options: &KeychainOptions,
    work: impl FnOnce(&Entry) -> Result<T> + Send + 'static,
) -> Result<T> {
    #[cfg(target_os = "macos")]
    use apple_native_keyring_store::keychain::Store;
    #[cfg(target_os = "windows")]
    use windows_native_keyring_store::Store;

    let KeychainOptions { service, account, .. } = options.clone();
    let call = move || {
        let store: std::sync::Arc<keyring_core::CredentialStore> = Store::new().map_err(failed)?;
        work(&Entry::new_in_store(&store, &service, &account).map_err(failed)?)
    };
    let done = tokio::task::spawn_blocking(call).await;
    done.unwrap_or_else(|_| Err(Error::sealed("keychain_failed", "the call of the keychain panicked or was cancelled")))
}

fn read_entry(entry: &Entry) -> Result<Option<Secret>> {
    match entry.get_secret() {
        Ok(bytes) => text(bytes).map(Some),
        Err(StoreError::NoEntry) => Ok(None),
        Err(error) => Err(failed(error)),
    }
}

fn add_entry(entry: &Entry, key: &Secret) -> Result<()> {
    entry.set_secret(key.expose().as_bytes()).map_err(failed)
}

/// Some errors of the stores hold what was read, so only two of them become a source.
fn failed(error: StoreError) -> Error {
    match error {
        StoreError::NoStorageAccess(source) => locked().with_source(source),
        StoreError::PlatformFailure(source) => unavailable().with_source(source),
        StoreError::Ambiguous(_) => ambiguous(),
        _ => Error::sealed("keychain_failed", "the keychain does not take such an entry: change `service` or `account`"),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use keyring_core::{CredentialStore, mock};
    use std::sync::Arc;

    fn entry() -> Entry {
        let store: Arc<CredentialStore> = mock::Store::new().expect("a store");
        Entry::new_in_store(&store, "com.example.notes", "production").expect("an entry")
    }

    #[test]
    fn an_entry_is_absent_then_added_and_read_back() {
        let entry = entry();
        assert!(read_entry(&entry).expect("no fault").is_none());
        add_entry(&entry, &"a key".into()).expect("added");
        assert!(read_entry(&entry).expect("read").is_some_and(|text| text == "a key".into()));
    }

    #[test]
    fn p34_what_the_system_refuses_is_a_typed_error_that_shows_no_secret() {
        let source = || Box::new(std::io::Error::other("refused"));
        for (said, reason) in [
            (StoreError::NoStorageAccess(source()), "keychain_locked"),
            (StoreError::PlatformFailure(source()), "keychain_unavailable"),
            (StoreError::Ambiguous(vec![]), "key_ambiguous"),
            (StoreError::BadEncoding(b"canary".to_vec()), "keychain_failed"),
        ] {
            let entry = entry();
            entry.as_any().downcast_ref::<mock::Cred>().expect("it is one").set_error(said);
            let error = read_entry(&entry).err().expect("refused");
            assert_eq!((error.code(), error.reason()), ("sealed", reason));
            assert!(!format!("{error:?}").contains(&format!("{:?}", b"canary")), "{error:?}");
        }
        let entry = entry();
        entry.set_secret(&[0xff; 3]).expect("it takes bytes");
        assert_eq!(read_entry(&entry).err().expect("no text").reason(), "malformed_key");
    }
}
