//! A key that never leaves its hardware security module.
//!
//! A wrapped data key is `01 | nonce (12) | ciphertext | tag (16)`, sealed by the module with AES-256-GCM. The nonce is random. A module that
//! insists on a nonce of its own writes it over ours, and that one is stored.

use super::{BoxFuture, KeyProvider, Pkcs11Options, hex, random};
use crate::{Error, Result};
use cryptoki::context::{CInitializeArgs, CInitializeFlags, Function, Pkcs11};
use cryptoki::error::{Error as ModuleError, RvError};
use cryptoki::mechanism::Mechanism;
use cryptoki::mechanism::aead::GcmParams;
use cryptoki::object::{Attribute, AttributeType, KeyType, ObjectClass, ObjectHandle};
use cryptoki::session::{Session, SessionState, UserType};
use cryptoki::slot::Slot;
use cryptoki::types::AuthPin;
use std::ffi::c_ulong;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;
use zeroize::Zeroizing;

const FORMAT: u8 = 1;
const NONCE: usize = 12;
/// The length of an AES-256 key.
const BYTES: c_ulong = 32;

/// How long a module may take to log in and to find the key.
const PATIENCE: Duration = Duration::from_secs(30);

/// A key-encryption key in a hardware security module (PKCS#11), which wraps data keys with AES-256-GCM inside of it.
///
/// Its fingerprint is made of the key's label and id, so a copy of it in another token is the same key. A session that ended, because the
/// token was away or the module was restarted, is begun again once; the module is called on threads where it may block. The module is
/// initialized for the whole process and never finalized, because the host may use it too. After a fork, open anew in the child: PKCS#11
/// sessions do not live there, nor does an [`Atom`](crate::Atom).
///
/// ```no_run
/// use atom_core::{Atom, Pkcs11Key, Pkcs11Options};
///
/// # async fn example() -> atom_core::Result<()> {
/// let key = Pkcs11Key::open(&Pkcs11Options {
///     module: "/usr/lib/softhsm/libsofthsm2.so".into(),
///     token: "atom".into(),
///     pin: std::env::var("ATOM_PIN").unwrap_or_default().into(),
///     key: "atom-2026".into(),
///     create: None,
/// })
/// .await?;
/// let atom = Atom::builder("sqlite:./atom.db").key(key).open().await?;
/// # drop(atom);
/// # Ok(()) }
/// ```
pub struct Pkcs11Key(Arc<Token>);

/// A token, and what this process has open there.
struct Token {
    module: Pkcs11,
    options: Pkcs11Options,
    fingerprint: String,
    /// A session takes one call at a time.
    state: Mutex<State>,
}

struct State {
    /// None while the session is lost.
    open: Option<Open>,
    /// What the token said to the PIN. It is not shown again: a locked token is worse than an error.
    refused: Option<Error>,
}

struct Open {
    session: Session,
    key: ObjectHandle,
}

impl Pkcs11Key {
    /// Logs in to a token and finds the key, or makes it if the options say so.
    ///
    /// # Errors
    /// - `sealed`: `no_key` (there is no such module, token or key), `key_ambiguous` (there are several), `wrong_pin`, `pin_locked`,
    ///   `pin_expired`, `pin_last_try` (one more wrong PIN would lock the token, so none was shown), `key_unsuitable` (the module or the key
    ///   cannot do AES-256-GCM), `key_provider_failed`
    /// - `unavailable`: `key_provider_unavailable` (the device does not answer), `key_provider_timeout`
    pub async fn open(options: &Pkcs11Options) -> Result<Self> {
        let options = options.clone();
        let opening = blocking(move || {
            let module = Pkcs11::new(&options.module).map_err(|e| missing("PKCS#11 module").with_source(e))?;
            let (open, fingerprint) = connect(&module, &options, options.create == Some(true))?;
            let state = Mutex::new(State { open: Some(open), refused: None });
            Ok(Self(Arc::new(Token { module, options, fingerprint, state })))
        });
        tokio::time::timeout(PATIENCE, opening).await.unwrap_or_else(|_| {
            let text = format!(
                "the PKCS#11 module did not answer within {PATIENCE:?}: see whether the device is reached, and open again"
            );
            Err(Error::unavailable("key_provider_timeout", text))
        })
    }
}

impl Token {
    /// Does something with the key, in a new session if the old one has ended.
    fn with_key<T>(&self, work: impl Fn(&Open) -> Result<T, ModuleError>) -> Result<T> {
        let mut state = self.state.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some(open) = state.open.take() {
            match work(&open) {
                Err(error) if is_lost(&error) => {}
                done => {
                    state.open = Some(open);
                    return done.map_err(failed);
                }
            }
        }
        if let Some(error) = &state.refused {
            return Err(error.clone());
        }
        let open = match connect(&self.module, &self.options, false) {
            Ok((open, fingerprint)) if fingerprint == self.fingerprint => open,
            Ok((_, fingerprint)) => {
                let text = format!(
                    "the token now has key {fingerprint} where {} was: put the token back that was opened; nothing was changed",
                    self.fingerprint
                );
                return Err(Error::sealed("wrong_key", text));
            }
            Err(error) => {
                if matches!(error.reason(), "wrong_pin" | "pin_locked" | "pin_expired" | "pin_last_try") {
                    state.refused = Some(error.clone());
                }
                return Err(error);
            }
        };
        let done = work(&open);
        if !done.as_ref().is_err_and(is_lost) {
            state.open = Some(open);
        }
        done.map_err(failed)
    }
}

impl KeyProvider for Pkcs11Key {
    fn fingerprint(&self) -> String {
        self.0.fingerprint.clone()
    }

    fn wrap<'a>(&'a self, data_key: &'a [u8], context: &'a [u8]) -> BoxFuture<'a, Result<Vec<u8>>> {
        let (token, data_key, context) = (Arc::clone(&self.0), Zeroizing::new(data_key.to_vec()), context.to_vec());
        Box::pin(blocking(move || {
            let fresh: [u8; NONCE] = random()?;
            token.with_key(|open| {
                let mut nonce = fresh;
                let params = GcmParams::new(&mut nonce, &context, 128.into())?;
                let body = open.session.encrypt(&Mechanism::AesGcm(params), open.key, &data_key)?;
                Ok([&[FORMAT][..], &nonce, &body].concat())
            })
        }))
    }

    fn unwrap<'a>(&'a self, wrapped: &'a [u8], context: &'a [u8]) -> BoxFuture<'a, Result<Zeroizing<Vec<u8>>>> {
        let (token, wrapped, context) = (Arc::clone(&self.0), wrapped.to_vec(), context.to_vec());
        Box::pin(blocking(move || {
            let parts = wrapped.split_first_chunk::<{ 1 + NONCE }>().filter(|(head, _)| head[0] == FORMAT);
            let (head, body) = parts.ok_or_else(altered)?;
            token.with_key(|open| {
                let mut nonce = head[1..].to_vec();
                let params = GcmParams::new(&mut nonce, &context, 128.into())?;
                open.session.decrypt(&Mechanism::AesGcm(params), open.key, body).map(Zeroizing::new)
            })
        }))
    }
}

/// Runs a call of the module where it may block.
async fn blocking<T: Send + 'static>(work: impl FnOnce() -> Result<T> + Send + 'static) -> Result<T> {
    tokio::task::spawn_blocking(work).await.unwrap_or_else(|_| {
        Err(Error::sealed("key_provider_failed", "the call of the PKCS#11 module panicked or was cancelled: nothing was changed"))
    })
}

/// Begins a session, logs in, and finds the key and its fingerprint.
fn connect(module: &Pkcs11, options: &Pkcs11Options, create: bool) -> Result<(Open, String)> {
    match module.initialize(CInitializeArgs::new(CInitializeFlags::OS_LOCKING_OK)) {
        // The host uses it too, or another key of this process.
        Ok(()) | Err(ModuleError::Pkcs11(RvError::CryptokiAlreadyInitialized, _)) => {}
        Err(error) => return Err(failed(error)),
    }
    let slot = slot_of(module, &options.token)?;
    let session = module.open_ro_session(slot).map_err(failed)?;
    log_in(module, slot, &session, options)?;
    let mut found = find(&session, &options.key)?;
    if found.is_empty() && create {
        generate(module, slot, &options.key)?;
        found = find(&session, &options.key)?;
    }
    let [key] = found[..] else {
        return Err(if found.is_empty() { missing("key") } else { ambiguous("keys", &options.key) });
    };
    let mut id = String::new();
    for attribute in session.get_attributes(key, &[AttributeType::Id, AttributeType::ValueLen]).map_err(failed)? {
        match attribute {
            Attribute::Id(bytes) => id = hex(&bytes),
            Attribute::ValueLen(length) if length != BYTES.into() => return Err(unsuitable()),
            _ => {}
        }
    }
    Ok((Open { session, key }, format!("pkcs11:{}:{id}", options.key)))
}

fn slot_of(module: &Pkcs11, label: &str) -> Result<Slot> {
    let mut found = Vec::new();
    for slot in module.get_slots_with_token().map_err(failed)? {
        if module.get_token_info(slot).map_err(failed)?.label() == label {
            found.push(slot);
        }
    }
    match found[..] {
        [slot] => Ok(slot),
        [] => Err(missing("token")),
        _ => Err(ambiguous("tokens", label)),
    }
}

fn log_in(module: &Pkcs11, slot: Slot, session: &Session, options: &Pkcs11Options) -> Result<()> {
    let state = session.get_session_info().map_err(failed)?.session_state();
    if matches!(state, SessionState::RoUser | SessionState::RwUser) {
        // A process is logged in to a token as a whole, by its first session.
        return Ok(());
    }
    let token = module.get_token_info(slot).map_err(failed)?;
    if token.user_pin_locked() {
        return Err(pin_locked());
    }
    if token.user_pin_final_try() {
        let text = "one more wrong PIN would lock the token, so it was not shown: log in once by the means of its vendor, which resets the \
                    count, and compare `pin`";
        return Err(Error::sealed("pin_last_try", text));
    }
    match session.login(UserType::User, Some(&AuthPin::new(options.pin.expose().into()))) {
        Ok(()) | Err(ModuleError::Pkcs11(RvError::UserAlreadyLoggedIn, _)) => Ok(()),
        Err(error) => Err(failed(error)),
    }
}

fn find(session: &Session, label: &str) -> Result<Vec<ObjectHandle>> {
    let label = Attribute::Label(label.as_bytes().to_vec());
    session.find_objects(&[Attribute::Class(ObjectClass::SECRET_KEY), Attribute::KeyType(KeyType::AES), label]).map_err(failed)
}

/// Makes a key that can be used in the token and not be read from it.
fn generate(module: &Pkcs11, slot: Slot, label: &str) -> Result<()> {
    let id: [u8; 16] = random()?;
    let session = module.open_rw_session(slot).map_err(failed)?;
    let template = [
        Attribute::Token(true),
        Attribute::Private(true),
        Attribute::Sensitive(true),
        Attribute::Extractable(false),
        Attribute::Encrypt(true),
        Attribute::Decrypt(true),
        Attribute::ValueLen(BYTES.into()),
        Attribute::Label(label.as_bytes().to_vec()),
        Attribute::Id(id.to_vec()),
    ];
    session.generate_key(&Mechanism::AesKeyGen, &template).map(drop).map_err(failed)
}

/// Whether a call would go well in a new session.
fn is_lost(error: &ModuleError) -> bool {
    use RvError as E;
    matches!(
        error,
        ModuleError::Pkcs11(
            E::SessionHandleInvalid
                | E::SessionClosed
                | E::UserNotLoggedIn
                | E::DeviceRemoved
                | E::TokenNotPresent
                | E::CryptokiNotInitialized
                | E::KeyHandleInvalid
                | E::ObjectHandleInvalid,
            _
        )
    )
}

fn missing(what: &str) -> Error {
    let text = format!("there is no such {what}: compare the options with what the module's own tool shows");
    Error::sealed("no_key", text)
}

fn ambiguous(what: &str, label: &str) -> Error {
    Error::sealed(
        "key_ambiguous",
        format!("there are several {what} with the label {label}: give the right one a label of its own"),
    )
}

fn pin_locked() -> Error {
    Error::sealed("pin_locked", "the token is locked after too many wrong PINs: its security officer can unlock it")
}

fn unsuitable() -> Error {
    let text = "the module cannot encrypt and decrypt with AES-256-GCM under this key: give one that is made for it";
    Error::sealed("key_unsuitable", text)
}

fn altered() -> Error {
    let text = "a data key does not open in the token: it was altered, or the token has another key of the same label and id; restore the \
                last backup, or the token";
    Error::sealed("record_altered", text)
}

/// What a refusal of the module means, and what to do about it.
fn failed(error: ModuleError) -> Error {
    use RvError as E;
    let ModuleError::Pkcs11(code, function) = &error else {
        let text = "the PKCS#11 module cannot be used: see its log; nothing was changed";
        return Error::sealed("key_provider_failed", text).with_source(error);
    };
    let meaning = match (code, function) {
        (E::PinIncorrect | E::PinInvalid | E::PinLenRange, _) => {
            let text = "the token refuses the PIN, and was not asked again, because it locks itself after a few wrong ones: correct `pin`";
            Error::sealed("wrong_pin", text)
        }
        (E::PinLocked, _) => pin_locked(),
        (E::PinExpired | E::UserPinNotInitialized, _) => {
            Error::sealed("pin_expired", "the PIN has expired or was never set: set it by the means of the token's vendor")
        }
        // SoftHSM says of a wrong tag that there is a general error.
        (E::EncryptedDataInvalid | E::EncryptedDataLenRange | E::GeneralError, Function::Decrypt) => altered(),
        (
            E::MechanismInvalid
            | E::MechanismParamInvalid
            | E::KeyFunctionNotPermitted
            | E::KeyTypeInconsistent
            | E::KeySizeRange,
            _,
        ) => unsuitable(),
        (E::DeviceError | E::DeviceMemory | E::DeviceRemoved | E::HostMemory | E::SessionCount | E::TokenNotPresent, _) => {
            let text = "the token does not answer: see whether it is plugged in or reached, and call again";
            Error::unavailable("key_provider_unavailable", text)
        }
        _ => {
            let text = format!("the PKCS#11 module refused {function}: see its log; nothing was changed");
            Error::sealed("key_provider_failed", text)
        }
    };
    meaning.with_source(error)
}
