//! Addresses, and names that people chose.

use crate::{Error, Result};
use lettre::Address;
use url::Host;

/// RFC 5321 §4.5.3.1.3, without the angle brackets.
const LONGEST: usize = 254;
/// The longest name of a person, a workspace or a device that is put into a mail, in characters.
const LONGEST_NAME: usize = 80;

/// An address as it goes over the wire: its domain in ASCII.
///
/// It stays out of the error: it is personal data.
pub(super) fn check(text: &str) -> Result<String> {
    let malformed = || {
        Error::invalid(
            "malformed_email",
            "this is not an e-mail address: it needs a name, an `@` and a domain, at most 254 characters",
        )
    };
    let text = text.trim();
    let (name, domain) = text.rsplit_once('@').ok_or_else(malformed)?;
    // What a URL's host may be written as is more than what a domain may be.
    if text.chars().any(|c| c.is_control() || c.is_whitespace() || "<>,;\"\\()%".contains(c)) || name.contains('@') {
        return Err(malformed());
    }
    let Ok(Host::Domain(domain)) = Host::parse(domain) else { return Err(malformed()) };
    let address = Address::new(name, &domain).map_err(|_| malformed())?;
    let address = address.to_string();
    if address.len() > LONGEST { Err(malformed()) } else { Ok(address) }
}

/// All of an address that the log shows.
pub(crate) fn masked(address: &str) -> String {
    let (name, domain) = address.rsplit_once('@').unwrap_or((address, ""));
    let first: String = name.chars().take(1).collect();
    format!("{first}***@{domain}")
}

/// A name that somebody chose, as it may stand in a mail that others get: one short line without a link to click on and without characters
/// that turn the text around.
pub(super) fn name(text: &str) -> String {
    let turns = |c: char| matches!(c, '\u{200b}'..='\u{200f}' | '\u{2028}'..='\u{202e}' | '\u{2060}'..='\u{2069}' | '\u{feff}');
    let plain: String = text.chars().map(|c| if c.is_control() { ' ' } else { c }).filter(|c| !turns(*c)).collect();
    let plain = plain.replace("://", " ");
    plain.split_whitespace().collect::<Vec<_>>().join(" ").chars().take(LONGEST_NAME).collect()
}

/// One line of a subject: whatever the template has made of it, no header can follow.
pub(super) fn line(text: &str) -> String {
    let plain: String = text.chars().map(|c| if c.is_control() { ' ' } else { c }).collect();
    plain.split_whitespace().collect::<Vec<_>>().join(" ").chars().take(200).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_address_gets_an_ascii_domain_and_keeps_its_name() {
        for (text, wire) in [
            ("ada@example.com", "ada@example.com"),
            (" ada+x@example.com ", "ada+x@example.com"),
            ("ada@münchen.example", "ada@xn--mnchen-3ya.example"),
            ("zoë@example.com", "zoë@example.com"),
        ] {
            assert_eq!(check(text).expect(text), wire);
        }
    }

    #[test]
    fn what_could_become_a_header_or_a_second_recipient_is_no_address() {
        let long = format!("{}@example.com", "a".repeat(300));
        for text in [
            "ada",
            "@example.com",
            "ada@",
            "ada@example.com\r\nBcc: eve@example.com",
            "ada@example.com\nx",
            "ada@example.com,eve@example.com",
            "ada@eve@example.com",
            "Ada <ada@example.com>",
            "ada@127.0.0.1",
            "ada@ex%61mple.com",
            "ada @example.com",
            long.as_str(),
        ] {
            let error = check(text).expect_err(text);
            assert_eq!(error.reason(), "malformed_email", "{text}");
            assert!(!error.to_string().contains("ada"), "{error}");
        }
    }

    #[test]
    fn a_masked_address_shows_one_letter_and_the_domain() {
        assert_eq!(masked("ada@example.com"), "a***@example.com");
        assert_eq!(masked("zoë@example.com"), "z***@example.com");
        assert_eq!(masked("öl@example.com"), "ö***@example.com");
    }

    #[test]
    fn a_name_is_one_short_line_without_links_and_tricks() {
        assert_eq!(name("Ada\r\nBcc: eve@example.com"), "Ada Bcc: eve@example.com");
        assert_eq!(name("visit https://evil.example now"), "visit https evil.example now");
        assert_eq!(name("abc\u{202e}def\u{200b}"), "abcdef");
        assert_eq!(name(&"x".repeat(500)).chars().count(), LONGEST_NAME);
        assert_eq!(name("  Grace   Hopper "), "Grace Hopper");
        assert_eq!(line("Hello\r\n there\u{0}"), "Hello there");
    }
}
