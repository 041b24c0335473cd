//! Keys that Kotlin, Swift and UniFFI's Python keep.

use super::AtomError;
use crate::crypto::{self, BoxFuture};
use crate::{Error, HostKey, Result};
use std::sync::Arc;
use zeroize::Zeroizing;

/// Keeps the key-encryption key and uses it on our behalf: the Keystore, the Keychain, a hardware module, a key management service.
///
/// Only data keys pass through it, 32 bytes each, once per process and workspace. Whatever is wrapped is unwrapped again before
/// anything relies on it. What is thrown becomes `sealed` (`key_provider_failed`), with its class and without its text; a call that
/// takes longer than 30 seconds fails with `unavailable` (`key_provider_timeout`).
#[::uniffi::export(with_foreign)]
#[::async_trait::async_trait]
pub trait KeyProvider: Send + Sync {
    /// A short public name of the key, to tell keys apart in errors and rotations: 1 to 200 printable characters without a space, the
    /// same for ever. It must not help to guess the key.
    fn fingerprint(&self) -> String;

    /// Encrypts a data key. The same `context` is given to `unwrap`.
    async fn wrap(&self, data_key: Vec<u8>, context: Vec<u8>) -> Result<Vec<u8>, AtomError>;

    /// Decrypts a data key.
    async fn unwrap(&self, wrapped: Vec<u8>, context: Vec<u8>) -> Result<Vec<u8>, AtomError>;
}

::uniffi::custom_type!(HostKey, Arc<dyn KeyProvider>, {
    lower: |key| Arc::new(key),
    try_lift: |foreign| Ok(HostKey::new(Foreign(foreign)))
});

/// A key that came from Rust can be used from elsewhere.
#[::async_trait::async_trait]
impl KeyProvider for HostKey {
    fn fingerprint(&self) -> String {
        self.0.fingerprint()
    }

    async fn wrap(&self, data_key: Vec<u8>, context: Vec<u8>) -> Result<Vec<u8>, AtomError> {
        let data_key = Zeroizing::new(data_key);
        Ok(self.0.wrap(&data_key, &context).await?)
    }

    async fn unwrap(&self, wrapped: Vec<u8>, context: Vec<u8>) -> Result<Vec<u8>, AtomError> {
        Ok(self.0.unwrap(&wrapped, &context).await?.to_vec())
    }
}

struct Foreign(Arc<dyn KeyProvider>);

impl crypto::KeyProvider for Foreign {
    fn fingerprint(&self) -> String {
        self.0.fingerprint()
    }

    fn wrap<'a>(&'a self, data_key: &'a [u8], context: &'a [u8]) -> BoxFuture<'a, Result<Vec<u8>>> {
        Box::pin(async move { self.0.wrap(data_key.to_vec(), context.to_vec()).await.map_err(|error| failed(&error)) })
    }

    fn unwrap<'a>(&'a self, wrapped: &'a [u8], context: &'a [u8]) -> BoxFuture<'a, Result<Zeroizing<Vec<u8>>>> {
        Box::pin(async move {
            let plain = self.0.unwrap(wrapped.to_vec(), context.to_vec()).await;
            plain.map(Zeroizing::new).map_err(|error| failed(&error))
        })
    }
}

fn failed(error: &AtomError) -> Error {
    crate::bridge::key_failed(&error.details().reason)
}
