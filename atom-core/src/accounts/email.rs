//! E-mail addresses: one canonical form, used everywhere.

use crate::{Error, Result};
use unicode_normalization::UnicodeNormalization;

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
        && canonical.len() <= 254
        && !canonical.chars().any(|c| c.is_whitespace() || c.is_control() || "<>,;\"\\()".contains(c))
        && !name.contains('@');
    if fine { Ok(canonical) } else { Err(malformed()) }
}

#[cfg(test)]
mod tests {
    use super::*;

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
