//! Codes of authenticator apps: RFC 6238 over RFC 4226, with HMAC-SHA-1, six digits and steps of thirty seconds, which is what every app can do.

use crate::Secret;
use chrono::{DateTime, Utc};
use hmac::{Hmac, KeyInit, Mac};
use percent_encoding::{AsciiSet, NON_ALPHANUMERIC, utf8_percent_encode};
use sha1::Sha1;
use std::fmt::Write as _;
use subtle::ConstantTimeEq;
use unicode_normalization::UnicodeNormalization;
use zeroize::Zeroizing;

/// The length of a secret, in bytes: that of the hash, as RFC 4226 recommends.
pub(super) const SECRET: usize = 20;
/// How long a code is shown, in seconds.
const PERIOD: i64 = 30;
const DIGITS: usize = 6;
/// How many steps an app's clock may be off, and a user's typing take.
const SKEW: i64 = 1;

const UNRESERVED: &AsciiSet = &NON_ALPHANUMERIC.remove(b'-').remove(b'.').remove(b'_').remove(b'~');

/// The digits of what somebody typed; none if it is no code.
pub(super) fn normalized(code: &Secret) -> Option<Zeroizing<String>> {
    // Room for spaces, and none for books.
    let typed = code.expose();
    let shown = |c: &char| !c.is_whitespace() && *c != '-';
    let digits: Zeroizing<String> = Zeroizing::new(typed.nfkc().filter(shown).take(DIGITS + 1).collect());
    let fine = typed.len() <= 100 && digits.len() == DIGITS && digits.bytes().all(|b| b.is_ascii_digit());
    fine.then_some(digits)
}

/// The newest step at which the app may show this code around now.
pub(super) fn matching_step(secret: &[u8], digits: &str, now: DateTime<Utc>) -> Option<i64> {
    let current = step(now);
    let is_right = |step| bool::from(code(secret, step).as_bytes().ct_eq(digits.as_bytes()));
    // All of them are looked at, whichever is right.
    (current - SKEW..=current + SKEW).fold(None, |found, step| if is_right(step) { Some(step) } else { found })
}

/// What an app shows at a moment.
#[cfg(feature = "testing")]
pub(crate) fn code_of(base32: &Secret, at: DateTime<Utc>) -> Secret {
    let secret = from_base32(base32.expose()).expect("the secret of a setup");
    Secret::from(code(&secret, step(at)).as_str())
}

fn step(at: DateTime<Utc>) -> i64 {
    at.timestamp().div_euclid(PERIOD)
}

fn code(secret: &[u8], step: i64) -> Zeroizing<String> {
    Zeroizing::new(format!("{:06}", number(secret, step) % 1_000_000))
}

/// RFC 4226, section 5.3: 31 bits of the hash.
fn number(secret: &[u8], counter: i64) -> u32 {
    let mut mac = Hmac::<Sha1>::new_from_slice(secret).expect("HMAC takes keys of any length");
    mac.update(&counter.to_be_bytes());
    let hash = mac.finalize().into_bytes();
    let offset = usize::from(hash[19] & 0x0f);
    hash[offset..offset + 4].iter().fold(0, |number, byte| (number << 8) | u32::from(*byte)) & 0x7fff_ffff
}

/// What a QR code says to an app. Apps know the issuer from the label or from the parameter.
pub(super) fn otpauth_uri(base32: &Secret, issuer: &str, account: &str) -> Secret {
    let (issuer, account) = (utf8_percent_encode(issuer, UNRESERVED), utf8_percent_encode(account, UNRESERVED));
    let mut uri = String::with_capacity(200);
    let _ = write!(uri, "otpauth://totp/{issuer}:{account}?secret={}", base32.expose());
    let _ = write!(uri, "&issuer={issuer}&algorithm=SHA1&digits={DIGITS}&period={PERIOD}");
    uri.into()
}

const BASE32: &[u8; 32] = b"ABCDEFGHIJKLMNOPQRSTUVWXYZ234567";

/// Base32 of RFC 4648 for whole groups of five bytes, which need no padding.
pub(super) fn base32(bytes: &[u8]) -> Secret {
    grouped(bytes, BASE32).into()
}

/// Groups of five bytes as eight characters of an alphabet each.
pub(super) fn grouped(bytes: &[u8], alphabet: &[u8; 32]) -> String {
    let group = |five: &[u8]| five.iter().fold(0_u64, |bits, byte| (bits << 8) | u64::from(*byte));
    let digit = |bits: u64, i: u32| char::from(alphabet[usize::try_from((bits >> (35 - 5 * i)) & 31).unwrap_or_default()]);
    bytes.chunks_exact(5).map(group).flat_map(|bits| (0..8).map(move |i| digit(bits, i))).collect()
}

#[cfg(feature = "testing")]
fn from_base32(text: &str) -> Option<Vec<u8>> {
    let mut bytes = Vec::new();
    for group in text.as_bytes().chunks_exact(8) {
        let mut bits = 0_u64;
        for character in group {
            bits = (bits << 5) | u64::try_from(BASE32.iter().position(|c| c == character)?).ok()?;
        }
        bytes.extend_from_slice(&bits.to_be_bytes()[3..]);
    }
    Some(bytes)
}

#[cfg(test)]
mod tests {
    use super::*;

    const RFC: &[u8] = b"12345678901234567890";

    fn at(seconds: i64) -> DateTime<Utc> {
        DateTime::from_timestamp(seconds, 0).expect("a moment")
    }

    #[test]
    fn p08_the_vectors_of_rfc_4226() {
        let numbers = [
            1_284_755_224,
            1_094_287_082,
            137_359_152,
            1_726_969_429,
            1_640_338_314,
            868_254_676,
            1_918_287_922,
            82_162_583,
            673_399_871,
            645_520_489,
        ];
        let codes = ["755224", "287082", "359152", "969429", "338314", "254676", "287922", "162583", "399871", "520489"];
        for (counter, (expected, shown)) in (0..).zip(numbers.into_iter().zip(codes)) {
            assert_eq!(number(RFC, counter), expected, "counter {counter}");
            assert_eq!(code(RFC, counter).as_str(), shown);
        }
    }

    #[test]
    fn p08_the_vectors_of_rfc_6238() {
        for (seconds, expected) in [
            (59, 94_287_082),
            (1_111_111_109, 7_081_804),
            (1_111_111_111, 14_050_471),
            (1_234_567_890, 89_005_924),
            (2_000_000_000, 69_279_037),
            (20_000_000_000, 65_353_130),
        ] {
            assert_eq!(number(RFC, step(at(seconds))) % 100_000_000, expected, "{seconds} s");
        }
    }

    #[test]
    fn p08_a_code_is_right_a_step_early_and_late_and_no_more() {
        let now = at(1_111_111_111);
        let shown = |steps: i64| code(RFC, step(now) + steps);
        for steps in -1..=1 {
            assert_eq!(matching_step(RFC, &shown(steps), now), Some(step(now) + steps));
        }
        for steps in [-3, -2, 2, 3] {
            assert_eq!(matching_step(RFC, &shown(steps), now), None);
        }
        assert_eq!(matching_step(&[0; SECRET], &shown(0), now), None);
    }

    #[test]
    fn p08_whatever_stands_between_the_digits_is_taken_away_first() {
        for typed in ["287082", " 287 082 ", "287\u{a0}082\n", "287-082", "２８７０８２", "2 8 7 0 8 2"] {
            assert_eq!(normalized(&typed.into()).expect(typed).as_str(), "287082");
        }
        let long = format!("287082{}", " ".repeat(200));
        for typed in ["", "28708", "2870822", "28708a", "+87082", "٢٨٧٠٨٢", "28.082", &long] {
            assert!(normalized(&typed.into()).is_none(), "{typed}");
        }
    }

    #[test]
    fn a_secret_is_written_as_rfc_4648_says() {
        assert_eq!(base32(RFC).expose(), "GEZDGNBVGY3TQOJQGEZDGNBVGY3TQOJQ");
        let uri = otpauth_uri(&base32(RFC), "Acme & Co", "ada+x@example.com");
        assert_eq!(
            uri.expose(),
            "otpauth://totp/Acme%20%26%20Co:ada%2Bx%40example.com?secret=GEZDGNBVGY3TQOJQGEZDGNBVGY3TQOJQ\
             &issuer=Acme%20%26%20Co&algorithm=SHA1&digits=6&period=30"
        );
    }
}
