//! The Secret Service of Linux and BSD desktops, over D-Bus.

use super::{KeychainOptions, ambiguous, locked, text, unavailable};
use crate::{Error, Result, Secret};
use secret_service::{EncryptionType, Error as ServiceError, SecretService};
use std::collections::HashMap;
use std::time::Duration;

/// How long the service may take to be started by D-Bus.
const START: Duration = Duration::from_secs(30);
/// How long a person may take to unlock the keychain.
const PROMPT: Duration = Duration::from_secs(120);

/// Where entries go that are to be gone with the session.
const VOLATILE: &str = "/collection/session";

pub(super) async fn read(options: &KeychainOptions) -> Result<Option<Secret>> {
    let service = connect().await?;
    let found = service.search_items(attributes(options)).await.map_err(failed)?;
    let item = match (&found.unlocked[..], &found.locked[..]) {
        ([], []) => return Ok(None),
        ([item], []) => item,
        ([], [item]) => {
            unlocked(item.unlock()).await?;
            item
        }
        _ => return Err(ambiguous()),
    };
    text(item.get_secret().await.map_err(failed)?).map(Some)
}

/// Adds an entry. One that is there already is not overwritten.
pub(super) async fn add(options: &KeychainOptions, key: &Secret) -> Result<()> {
    let service = connect().await?;
    let collection = match service.get_default_collection().await {
        Ok(collection) if !collection.collection_path.ends_with(VOLATILE) => collection,
        Ok(_) | Err(ServiceError::NoResult) => {
            let text = "the Secret Service has no keyring that outlives the session: log in to the desktop once, or make a default keyring \
                        with its own tool";
            return Err(Error::sealed("keychain_unavailable", text));
        }
        Err(error) => return Err(failed(error)),
    };
    if collection.is_locked().await.map_err(failed)? {
        unlocked(collection.unlock()).await?;
    }
    let label = format!("Key of {} ({})", options.service, options.account);
    let value = key.expose().as_bytes();
    collection.create_item(&label, attributes(options), value, false, "text/plain").await.map(drop).map_err(failed)
}

async fn connect() -> Result<SecretService<'static>> {
    match tokio::time::timeout(START, SecretService::connect(EncryptionType::Dh)).await {
        Ok(Ok(service)) => Ok(service),
        Ok(Err(error)) => Err(unavailable().with_source(error)),
        Err(_) => Err(unavailable()),
    }
}

/// As other keyring libraries name them, so that their tools find the entry.
fn attributes(options: &KeychainOptions) -> HashMap<&str, &str> {
    HashMap::from([("service", options.service.as_str()), ("username", options.account.as_str())])
}

async fn unlocked(unlocking: impl Future<Output = Result<(), ServiceError>>) -> Result<()> {
    match tokio::time::timeout(PROMPT, unlocking).await {
        Ok(Ok(())) => Ok(()),
        Ok(Err(error)) => Err(locked().with_source(error)),
        Err(_) => Err(locked()),
    }
}

fn failed(error: ServiceError) -> Error {
    match error {
        ServiceError::Locked | ServiceError::Prompt | ServiceError::PromptDisconnected => locked().with_source(error),
        _ => Error::sealed("keychain_failed", "the Secret Service refused a call: see its log").with_source(error),
    }
}
