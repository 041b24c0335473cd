//! The hosts that a key may be sent to.

use super::ServiceKey;
use crate::egress::Egress;
use crate::{Error, Result};
use url::Url;

const MOST: usize = 20;

/// Hosts in their one form: small letters, Punycode, a port only where it is not 443.
///
/// Fails with `invalid` (`malformed_host`, `address_not_public`).
pub(super) fn checked(given: Vec<String>, egress: &Egress) -> Result<Vec<String>> {
    if given.len() > MOST {
        return Err(Error::invalid(
            "malformed_host",
            format!("a key goes to at most {MOST} hosts: store it once more for others"),
        ));
    }
    let mut hosts = Vec::with_capacity(given.len());
    for text in given {
        let host = checked_one(&text, egress)?;
        if !hosts.contains(&host) {
            hosts.push(host);
        }
    }
    Ok(hosts)
}

fn checked_one(text: &str, egress: &Egress) -> Result<String> {
    let malformed = || {
        let text = "a host is a name or an address, with a port only where it is not 443: `api.openai.com`, without `https://`, path or `*`";
        Error::invalid("malformed_host", text)
    };
    if text.contains('*') {
        return Err(malformed());
    }
    let url = Url::parse(&format!("https://{text}/")).map_err(|_| malformed())?;
    let bare = url.path() == "/" && url.query().is_none() && url.fragment().is_none() && !has_user(&url);
    let host = authority(&url).filter(|_| bare).ok_or_else(malformed)?;
    egress.check_address(&url)?;
    Ok(host)
}

/// Refuses a URL to which the key may not be sent.
pub(super) fn check(key: &ServiceKey, url: &Url) -> Result<()> {
    let refused = |text: &str| Err(Error::invalid("host_not_allowed", text).with_provider(&key.service));
    if has_user(url) {
        return refused("a URL with a user name in it is not sent");
    }
    match authority(url) {
        Some(host) if key.hosts.contains(&host) => Ok(()),
        _ => refused("this host is not one of those that the key was stored for: see its `hosts`"),
    }
}

fn has_user(url: &Url) -> bool {
    !url.username().is_empty() || url.password().is_some()
}

fn authority(url: &Url) -> Option<String> {
    let host = url.host_str()?;
    Some(match url.port() {
        Some(port) => format!("{host}:{port}"),
        None => host.to_owned(),
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    fn one(text: &str) -> Result<String> {
        checked_one(text, &Egress::new(false, Default::default()).expect("a client"))
    }

    #[test]
    fn a_host_has_one_form() {
        for (text, expected) in [
            ("api.openai.com", "api.openai.com"),
            ("API.OpenAI.com:443", "api.openai.com"),
            ("api.example.com:8443", "api.example.com:8443"),
            ("b\u{fc}cher.example", "xn--bcher-kva.example"),
            ("[2606:4700::1111]", "[2606:4700::1111]"),
        ] {
            assert_eq!(one(text).expect(text), expected);
        }
    }

    #[test]
    fn what_is_more_or_less_than_a_host_is_refused() {
        for text in [
            "",
            "*",
            "*.example.com",
            "https://api.openai.com",
            "api.openai.com/v1",
            "api.openai.com?x",
            "api.openai.com#x",
            "user@api.openai.com",
            "user:pass@api.openai.com",
            "api.openai.com\\@evil.example",
            "api openai.com",
            "api.openai.com:99999",
        ] {
            assert_eq!(one(text).expect_err(text).reason(), "malformed_host", "{text}");
        }
    }

    #[test]
    fn p27_no_key_goes_into_a_network() {
        for text in ["127.0.0.1:8080", "localhost", "10.0.0.1", "169.254.169.254", "0x7f000001", "[::1]", "[fd00::1]"] {
            assert_eq!(one(text).expect_err(text).reason(), "address_not_public", "{text}");
        }
    }
}
