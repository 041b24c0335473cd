use super::*;
use crate::crypto::{BoxFuture, LocalKey, random_key};
use zeroize::Zeroizing;

/// A provider that does what a test wants.
struct Odd {
    fingerprint: &'static str,
    wrap: fn() -> Result<Vec<u8>>,
    unwrap: fn() -> Result<Vec<u8>>,
}

impl KeyProvider for Odd {
    fn fingerprint(&self) -> String {
        assert_ne!(self.fingerprint, "panics", "the provider has no fingerprint");
        self.fingerprint.into()
    }

    fn wrap<'a>(&'a self, _: &'a [u8], _: &'a [u8]) -> BoxFuture<'a, Result<Vec<u8>>> {
        Box::pin(async { (self.wrap)() })
    }

    fn unwrap<'a>(&'a self, _: &'a [u8], _: &'a [u8]) -> BoxFuture<'a, Result<Zeroizing<Vec<u8>>>> {
        Box::pin(async { (self.unwrap)().map(Zeroizing::new) })
    }
}

fn odd(fingerprint: &'static str) -> Odd {
    Odd { fingerprint, wrap: || Ok(vec![1; 40]), unwrap: || Ok(vec![2; 32]) }
}

fn keys(current: impl KeyProvider, accepted: Vec<Arc<dyn KeyProvider>>) -> WrappingKeys {
    WrappingKeys::new(Arc::new(current), accepted).expect("keys")
}

#[tokio::test]
async fn the_first_key_wraps_and_all_unwrap() {
    let (old, new) = (LocalKey::generate().expect("a key"), LocalKey::generate().expect("a key"));
    let data_key = random_key().expect("a key");
    let by_old = keys(LocalKey::from_base64(&old.to_base64()).expect("it"), vec![]);
    let wrapped = by_old.wrap(&data_key, b"context").await.expect("wrapped");
    assert_eq!(wrapped.by, old.fingerprint());

    let both = keys(new, vec![Arc::new(old)]);
    assert_eq!(*both.unwrap(&wrapped, b"context").await.expect("unwrapped"), *data_key);
    let again = both.wrap(&data_key, b"context").await.expect("wrapped");
    assert_eq!(again.by, both.current());
    let missing = by_old.unwrap(&again, b"context").await.err().expect("it lacks the new one");
    assert_eq!(missing.reason(), "key_missing");
    assert!(missing.to_string().contains(both.current()) && missing.to_string().contains(by_old.current()), "{missing}");
    assert!(both.unwrap(&wrapped, b"another").await.is_err(), "a wrapping belongs to its context");
}

#[tokio::test]
async fn a_key_that_is_given_twice_counts_once() {
    let key = LocalKey::generate().expect("a key");
    let again = LocalKey::from_base64(&key.to_base64()).expect("it");
    assert_eq!(keys(key, vec![Arc::new(again)]).fingerprints().count(), 1);
}

#[tokio::test]
async fn p34_what_a_provider_does_wrong_is_a_typed_error() {
    let data_key = random_key().expect("a key");
    let wrap = async |provider: Odd| keys(provider, vec![]).wrap(&data_key, b"context").await.err().expect("refused");
    assert_eq!(wrap(odd("k")).await.reason(), "key_provider_failed", "it unwraps to something else");
    let panics: fn() -> Result<Vec<u8>> = || panic!("on purpose");
    let error = wrap(Odd { wrap: panics, ..odd("k") }).await;
    assert_eq!((error.code(), error.reason()), ("sealed", "key_provider_failed"));
    let short = wrap(Odd { unwrap: || Ok(vec![2; 31]), ..odd("k") }).await;
    assert_eq!(short.reason(), "data_key_malformed");
    let own = wrap(Odd { wrap: || Err(Error::unavailable("kms_down", "the service is down")), ..odd("k") }).await;
    assert_eq!(own.reason(), "kms_down", "an error of a provider in Rust is its own");

    let error = guarded("k", Duration::from_millis(10), std::future::pending::<Result<()>>()).await.expect_err("no answer");
    assert_eq!((error.code(), error.reason()), ("unavailable", "key_provider_timeout"));
}

#[test]
fn p34_a_fingerprint_is_a_printable_name() {
    let long: &'static str = "x".repeat(201).leak();
    for wrong in ["", "two words", "line\nbreak", "panics", long] {
        let refused = WrappingKeys::new(Arc::new(odd(wrong)), vec![]).err().expect(wrong);
        assert_eq!(refused.reason(), "malformed_fingerprint");
    }
}
