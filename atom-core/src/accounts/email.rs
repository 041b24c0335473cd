//! E-mail addresses: one canonical form, used everywhere.

use crate::{Error, Result};
use unicode_normalization::UnicodeNormalization;

/// The longest address, in characters.
const MOST: usize = 254;

/// The form that identifies an account: trimmed, NFKC, lower case. Two spellings of one address are one account.
pub(super) fn canonical(email: &str) -> Result<String> {
    let canonical: String = email.trim().nfkc().flat_map(char::to_lowercase).collect();
    let malformed = || {
        Error::invalid(
            "malformed_email",
            "this is not an e-mail address: it needs a name, an `@` and a domain, at most 254 characters",
        )
    };
    let (name, domain) = canonical.rsplit_once('@').ok_or_else(malformed)?;
    let fine = !name.is_empty()
        && name.len() <= 64
        && domain.contains('.')
        && !domain.starts_with('.')
        && !domain.ends_with('.')
        && !domain.contains("..")
        && canonical.len() <= MOST
        && !canonical.chars().any(|c| c.is_whitespace() || c.is_control() || "<>,;\"\\()".contains(c))
        && !name.contains('@');
    if fine { Ok(canonical) } else { Err(malformed()) }
}

/// The text under which attempts for an address are counted: its canonical form, or what comes next to it where it is no address.
pub(super) fn identifier(email: &str) -> String {
    let lower = || email.trim().chars().take(MOST + 1).nfkc().flat_map(char::to_lowercase).collect();
    if email.len() > 4 * MOST { lower() } else { canonical(email).unwrap_or_else(|_| lower()) }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn p07_whatever_is_typed_is_counted_under_one_text() {
        assert_eq!(identifier(" ADA@example.com\t"), "ada@example.com");
        assert_eq!(identifier(" Not an Address "), "not an address");
        assert!(identifier(&"x".repeat(1_000_000)).len() <= MOST + 1);
    }

    #[test]
    fn spellings_of_one_address_are_one_account() {
        for spelling in ["ada@example.com", " Ada@Example.COM ", "ＡＤＡ@example.com"] {
            assert_eq!(canonical(spelling).expect("an address"), "ada@example.com");
        }
    }

    #[test]
    fn what_is_no_address_is_refused() {
        for text in [
            "",
            "ada",
            "@example.com",
            "ada@",
            "ada@localhost",
            "a b@example.com",
            "a@b@example.com",
            "ada@.com",
            "a\n@example.com",
            "<a@example.com>",
        ] {
            assert_eq!(canonical(text).expect_err(text).reason(), "malformed_email", "{text}");
        }
    }
}
