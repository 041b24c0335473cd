//! Who keeps the key-encryption key.

use super::{Key, Place, random_key, record};
use crate::{Error, Result, Secret, WorkspaceId};
use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use hkdf::Hkdf;
use sha2::Sha256;
use std::io::Write;
use std::path::Path;
use std::pin::Pin;
use std::sync::Arc;
use uuid::Uuid;
use zeroize::{Zeroize, Zeroizing};

/// A boxed future, so that key providers can be trait objects.
pub type BoxFuture<'a, T> = Pin<Box<dyn Future<Output = T> + Send + 'a>>;

/// Keeps the key-encryption key and uses it on our behalf: a file, an environment variable, a key management service.
///
/// Only data keys pass through it, 32 bytes each, once per process and workspace. Whatever is wrapped is unwrapped again before
/// anything relies on it. A call that takes longer than 30 seconds fails with `unavailable` (`key_provider_timeout`), one that
/// panics with `sealed` (`key_provider_failed`). An error's text may be shown and logged: put no key into it.
pub trait KeyProvider: Send + Sync + 'static {
    /// A short public name of the key, to tell keys apart in errors and rotations: 1 to 200 printable characters without a space, the same
    /// for ever. It must not help to guess the key.
    fn fingerprint(&self) -> String;

    /// Encrypts a data key. The same `context` must be given to [`unwrap`](KeyProvider::unwrap).
    fn wrap<'a>(&'a self, data_key: &'a [u8], context: &'a [u8]) -> BoxFuture<'a, Result<Vec<u8>>>;

    /// Decrypts a data key.
    fn unwrap<'a>(&'a self, wrapped: &'a [u8], context: &'a [u8]) -> BoxFuture<'a, Result<Zeroizing<Vec<u8>>>>;
}

/// A key provider of the host's, behind a pointer: what `Atom.open_with_keys` takes in every language.
///
/// In Python and JavaScript it is any object with a `fingerprint` and the functions `wrap` and `unwrap`, plain or async; in Kotlin and
/// Swift it implements `KeyProvider`. In Rust, [`Builder::key`](crate::Builder::key) takes the provider itself.
///
/// ```
/// use atom_core::{Atom, HostKey, LocalKey, OpenOptions};
///
/// # tokio::runtime::Runtime::new().unwrap().block_on(async {
/// let key = HostKey::new(LocalKey::generate()?);
/// let options = OpenOptions { database_url: "memory:".into(), ..Default::default() };
/// let atom = Atom::open_with_keys(options, Some(key), None).await?;
/// # drop(atom);
/// # Ok::<(), atom_core::Error>(()) }).unwrap();
/// ```
#[derive(Clone)]
pub struct HostKey(pub(crate) Arc<dyn KeyProvider>);

impl HostKey {
    /// Wraps a provider of any type.
    pub fn new(provider: impl KeyProvider) -> Self {
        Self(Arc::new(provider))
    }
}

/// A key-encryption key in memory: from a text, an environment variable or a file.
///
/// ```
/// use atom_core::LocalKey;
///
/// let key = LocalKey::generate()?;
/// let again = LocalKey::from_base64(&key.to_base64())?;
/// # use atom_core::KeyProvider;
/// assert_eq!(key.fingerprint(), again.fingerprint());
/// # Ok::<(), atom_core::Error>(())
/// ```
pub struct LocalKey(Key);

impl LocalKey {
    /// A fresh random key.
    ///
    /// # Errors
    /// `internal` if the operating system gives no random bytes.
    pub fn generate() -> Result<Self> {
        random_key().map(Self)
    }

    /// The key in standard base64: 44 characters for 32 bytes.
    ///
    /// # Errors
    /// `sealed` / `malformed_key` if it is anything else.
    pub fn from_base64(text: &Secret) -> Result<Self> {
        let bytes = STANDARD.decode(text.expose().trim()).map(Zeroizing::new).ok();
        let key = bytes.and_then(|bytes| Key::copy(&bytes));
        key.map(Self).ok_or_else(|| {
            Error::sealed(
                "malformed_key",
                "the key is not 32 bytes in base64: make one with `openssl rand -base64 32` and keep it safe",
            )
        })
    }

    /// The key as text, to be stored where the host keeps its secrets.
    pub fn to_base64(&self) -> Secret {
        STANDARD.encode(&self.0[..]).into()
    }

    /// Reads the key from a file that holds it in base64.
    ///
    /// # Errors
    /// `sealed` / `no_key` if the file cannot be read, `malformed_key` if it holds no key.
    pub fn from_file(path: impl AsRef<Path>) -> Result<Self> {
        let text = std::fs::read_to_string(path).map_err(|e| {
            Error::sealed("no_key", "the key file cannot be read: restore it; without it the stored secrets stay sealed")
                .with_source(e)
        })?;
        Self::from_base64(&text.into())
    }

    /// Writes a fresh key to a file that only its owner can read. An existing file is never overwritten.
    ///
    /// # Errors
    /// `sealed` / `key_file_exists`, or `key_file_unwritable`.
    pub fn create_file(path: impl AsRef<Path>) -> Result<Self> {
        let key = Self::generate()?;
        let mut options = std::fs::OpenOptions::new();
        options.write(true).create_new(true);
        #[cfg(unix)]
        std::os::unix::fs::OpenOptionsExt::mode(&mut options, 0o600);
        let unwritable = |e: std::io::Error| match e.kind() {
            std::io::ErrorKind::AlreadyExists => {
                Error::sealed("key_file_exists", "there is a key file already: it is never overwritten")
            }
            _ => Error::sealed("key_file_unwritable", "the key file cannot be written: check its folder").with_source(e),
        };
        let mut file = options.open(path).map_err(unwritable)?;
        file.write_all(key.to_base64().expose().as_bytes()).and_then(|()| file.sync_all()).map_err(unwritable)?;
        Ok(key)
    }
}

/// A wrapped key stands nowhere in particular: the context says whose it is.
fn place(context: &[u8]) -> Place<'_> {
    Place { workspace: WorkspaceId(Uuid::nil()), table: "wrapped_key", row: context, field: "key", version: 1 }
}

impl KeyProvider for LocalKey {
    fn fingerprint(&self) -> String {
        let mut out = [0; 8];
        Hkdf::<Sha256>::new(None, &self.0[..])
            .expand(b"atom key fingerprint", &mut out)
            .expect("8 bytes are within the bound of HKDF");
        wipe_stack();
        format!("local:{:016x}", u64::from_be_bytes(out))
    }

    fn wrap<'a>(&'a self, data_key: &'a [u8], context: &'a [u8]) -> BoxFuture<'a, Result<Vec<u8>>> {
        let wrapped = record::seal(&self.0, Uuid::nil(), &place(context), data_key, 0);
        wipe_stack();
        Box::pin(std::future::ready(wrapped))
    }

    fn unwrap<'a>(&'a self, wrapped: &'a [u8], context: &'a [u8]) -> BoxFuture<'a, Result<Zeroizing<Vec<u8>>>> {
        let data_key = record::open(&self.0, &place(context), wrapped);
        wipe_stack();
        Box::pin(std::future::ready(data_key))
    }
}

/// Overwrites what the calls before have left of the key below this frame: hashes and ciphers copy it from frame to frame.
#[inline(never)]
fn wipe_stack() {
    [0_u8; 32 * 1024].zeroize();
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_key_file_is_private_read_back_and_never_overwritten() {
        let folder = tempfile::tempdir().expect("a folder");
        let path = folder.path().join("atom.key");
        let made = LocalKey::create_file(&path).expect("a new file");
        assert_eq!(LocalKey::from_file(&path).expect("the file").fingerprint(), made.fingerprint());
        assert_eq!(LocalKey::create_file(&path).err().expect("refused").reason(), "key_file_exists");
        #[cfg(unix)]
        assert_eq!(std::os::unix::fs::PermissionsExt::mode(&std::fs::metadata(&path).expect("it").permissions()) & 0o777, 0o600);
    }

    #[test]
    fn a_missing_or_malformed_key_is_a_typed_error_that_does_not_show_it() {
        assert_eq!(LocalKey::from_file("/nowhere/atom.key").err().expect("refused").reason(), "no_key");
        let error = LocalKey::from_base64(&"c2hvcnQ=".into()).err().expect("refused");
        assert_eq!(error.reason(), "malformed_key");
        assert!(!format!("{error:?}").contains("c2hvcnQ"));
    }
}
