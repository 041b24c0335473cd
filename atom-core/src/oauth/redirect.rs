//! Where a provider may send the user back: a list, compared exactly (RFC 9700 §2.1), with the one exception of RFC 8252 §7.3.

use crate::{Error, Result};
use url::Url;

/// The redirect URIs of one client. The first is used where none is named.
pub(crate) struct RedirectUris(Vec<String>);

impl RedirectUris {
    pub(crate) fn new(uris: Vec<String>) -> Result<Self> {
        for uri in &uris {
            let url = Url::parse(uri).map_err(|e| malformed("is not an absolute URL").with_source(e))?;
            if url.fragment().is_some() {
                return Err(malformed("has a fragment, which no browser sends"));
            }
            if !url.username().is_empty() || url.password().is_some() {
                return Err(malformed("has a user name in it"));
            }
            match url.scheme() {
                "https" => {}
                "http" if matches!(url.host_str(), Some("127.0.0.1" | "[::1]" | "localhost")) => {}
                "http" => return Err(malformed("is plain http, and not on this machine: use https")),
                // RFC 8252 §7.1: a domain of the app's own, backwards, so that no two apps claim one.
                scheme if scheme.contains('.') => {}
                _ => {
                    return Err(malformed(
                        "has a scheme without a dot: use the app's own domain, as in `com.example.app:/callback`",
                    ));
                }
            }
        }
        Ok(Self(uris))
    }

    pub(crate) fn none() -> Self {
        Self(Vec::new())
    }

    /// The one to use: that which is asked for, if it is registered.
    pub(crate) fn choose(&self, asked: Option<String>) -> Result<String> {
        let Some(asked) = asked else {
            return self.0.first().cloned().ok_or_else(|| {
                Error::invalid("no_redirect_uri", "this provider has no redirect URI here: give it one when opening")
            });
        };
        if self.0.iter().any(|known| *known == asked || is_same_but_for_port(known, &asked)) {
            return Ok(asked);
        }
        let text =
            "this redirect URI is not one of the provider's: list it in `redirect_uris` when opening, exactly as it is used";
        Err(Error::invalid("redirect_uri_not_allowed", text))
    }

    pub(crate) fn all(&self) -> &[String] {
        &self.0
    }
}

/// The address below which the providers of workspaces send users back, each to its own.
///
/// Fails with `invalid` (`malformed_redirect_uri`).
pub(crate) fn check_callback_url(url: &str) -> Result<String> {
    RedirectUris::new(vec![url.to_owned()])?;
    if url.contains('?') {
        return Err(malformed("that the ids of providers are appended to has no query"));
    }
    Ok(url.trim_end_matches('/').to_owned())
}

fn malformed(why: &str) -> Error {
    Error::invalid("malformed_redirect_uri", format!("a redirect URI {why}"))
}

/// RFC 8252 §7.3: the port of a loopback address is whichever was free. A name such as `localhost` can lead elsewhere (§8.3).
fn is_same_but_for_port(known: &str, asked: &str) -> bool {
    let loopback = |text: &str| {
        let url = Url::parse(text).ok()?;
        let is_loopback = url.scheme() == "http" && matches!(url.host_str(), Some("127.0.0.1" | "[::1]"));
        is_loopback.then_some(url)
    };
    let (Some(mut known), Some(asked_url)) = (loopback(known), loopback(asked)) else { return false };
    // What is written otherwise is not what the provider compares with.
    let is_plain = asked_url.as_str() == asked || asked_url.as_str() == format!("{asked}/");
    is_plain && known.set_port(asked_url.port()).is_ok() && known == asked_url
}

/// Whether a callback came to the URI that was begun with. What the provider adds to it does not count.
pub(crate) fn is_at(callback: &Url, begun: &str) -> bool {
    let Ok(begun) = Url::parse(begun) else { return false };
    let bare = |url: &Url| {
        let mut url = url.clone();
        url.set_query(None);
        url.set_fragment(None);
        url
    };
    // A query of the URI's own comes back with the provider's.
    let came: Vec<_> = callback.query_pairs().collect();
    bare(callback) == bare(&begun) && begun.query_pairs().all(|pair| came.contains(&pair))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn uris(list: &[&str]) -> Result<RedirectUris> {
        RedirectUris::new(list.iter().map(|uri| (*uri).to_owned()).collect())
    }

    fn allows(list: &[&str], asked: &str) -> bool {
        uris(list).expect("well-formed").choose(Some(asked.to_owned())).is_ok()
    }

    #[test]
    fn p25_only_what_is_listed_is_used_and_exactly_as_it_is_listed() {
        let list = ["https://app.example/callback", "com.example.app:/callback", "https://app.example/other?kind=1"];
        for fine in list {
            assert!(allows(&list, fine), "{fine}");
        }
        for wrong in [
            "https://app.example/callback/",
            "https://app.example/callback?x=1",
            "https://app.example/Callback",
            "https://app.example:443/callback",
            "https://app.example/../callback",
            "https://app.example.evil.example/callback",
            "https://app.example@evil.example/callback",
            "http://app.example/callback",
            "com.example.app:/other",
            "com.example.app.evil:/callback",
            "https://app.example/other",
            "",
        ] {
            assert!(!allows(&list, wrong), "{wrong}");
        }
        assert_eq!(uris(&list).expect("a list").choose(None).expect("the first"), list[0]);
        assert_eq!(uris(&[]).expect("none").choose(None).expect_err("none").reason(), "no_redirect_uri");
    }

    #[test]
    fn p25_a_loopback_address_may_have_any_port_and_nothing_else_may() {
        for known in ["http://127.0.0.1/callback", "http://127.0.0.1:8000/callback"] {
            assert!(allows(&[known], "http://127.0.0.1:51234/callback") && allows(&[known], known), "{known}");
            for wrong in [
                "http://127.0.0.1:51234/other",
                "http://127.0.0.1:51234/callback?x=1",
                "http://localhost:51234/callback",
                "http://[::1]:51234/callback",
                "https://127.0.0.1:51234/callback",
                "http://127.0.0.1:51234@evil.example/callback",
                "http://127.1:51234/callback",
                "http://user@127.0.0.1:51234/callback",
            ] {
                assert!(!allows(&[known], wrong), "{wrong}");
            }
        }
        assert!(allows(&["http://[::1]/callback"], "http://[::1]:51234/callback"));
        assert!(!allows(&["http://localhost/callback"], "http://localhost:51234/callback"));
        assert!(!allows(&["https://app.example/callback"], "https://app.example:8443/callback"));
    }

    #[test]
    fn p25_a_redirect_uri_that_cannot_be_safe_is_refused_at_once() {
        for wrong in [
            "/callback",
            "http://app.example/callback",
            "https://app.example/callback#x",
            "https://user@app.example/callback",
            "myapp:/callback",
            "javascript:alert(1)",
            "data:text/html,x",
        ] {
            assert_eq!(uris(&[wrong]).err().expect(wrong).reason(), "malformed_redirect_uri");
        }
    }

    #[test]
    fn a_callback_is_at_its_uri_whatever_the_provider_added() {
        let at = |callback: &str, begun: &str| is_at(&Url::parse(callback).expect("a URL"), begun);
        assert!(at("https://app.example/cb?code=1&state=2", "https://app.example/cb"));
        assert!(at("https://app.example/cb?kind=1&code=1", "https://app.example/cb?kind=1"));
        assert!(at("com.example.app:/cb?code=1", "com.example.app:/cb"));
        assert!(!at("https://app.example/cb?kind=2&code=1", "https://app.example/cb?kind=1"));
        assert!(!at("http://127.0.0.1:2/cb?code=1", "http://127.0.0.1:1/cb"));
    }
}
