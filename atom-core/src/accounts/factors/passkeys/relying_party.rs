//! For whom passkeys are made, and by which pages.

use crate::config::OpenOptions;
use crate::http_client::is_loopback;
use crate::{Error, ErrorKind, Result};
use url::{Host, Url};

/// What passkeys of the installation are bound to.
#[derive(Debug)]
pub(in crate::accounts::factors) struct RelyingParty {
    /// A domain.
    pub(super) id: String,
    /// The origins of the pages that may ask for one, each as a browser writes it.
    pub(super) origins: Vec<String>,
}

impl RelyingParty {
    /// Of the options, or else of the application's address; none where there is neither.
    ///
    /// Fails with `invalid` (`malformed_option`).
    pub(in crate::accounts::factors) fn new(options: &OpenOptions) -> Result<Option<Self>> {
        // One that is none is refused where mail is set up.
        let origin = |url: &Url| url.origin().ascii_serialization();
        let app_url = options.app_url.as_deref().and_then(|url| Url::parse(url).ok()).filter(|url| is_origin(&origin(url)));
        let of_app = || app_url.as_ref().and_then(Url::domain).map(str::to_owned);
        let Some(id) = options.passkey_rp_id.clone().or_else(of_app) else { return Ok(None) };
        if !matches!(Host::parse(&id), Ok(Host::Domain(domain)) if domain == id) || id.ends_with('.') {
            let text = "passkey_rp_id is a domain in small letters, without a scheme and a port: `example.com`";
            return Err(Error::invalid("malformed_option", text));
        }
        let origins = match &options.passkey_origins {
            Some(origins) => origins.clone(),
            None => app_url.iter().map(origin).collect(),
        };
        if origins.is_empty() || !origins.iter().all(|origin| is_origin(origin)) {
            let text = "passkey_origins has at least one origin as browsers write it, with https or on this machine: `https://app.example.com`";
            return Err(Error::invalid("malformed_option", text));
        }
        Ok(Some(Self { id, origins }))
    }
}

fn is_origin(origin: &str) -> bool {
    // Of an Android app, which has no pages.
    if let Some(hash) = origin.strip_prefix("android:apk-key-hash:") {
        return hash.len() == 43 && hash.bytes().all(|b| b.is_ascii_alphanumeric() || b"-_".contains(&b));
    }
    let Ok(url) = Url::parse(origin) else { return false };
    let is_private = url.scheme() == "http" && is_loopback(&url);
    (url.scheme() == "https" || is_private) && !origin.contains('*') && url.origin().ascii_serialization() == origin
}

pub(super) fn not_configured() -> Error {
    let text = "this installation has no passkeys: open it with `app_url`, or with `passkey_rp_id` and `passkey_origins`";
    Error::new(ErrorKind::Unsupported, "passkeys_not_configured", text)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn party(rp_id: Option<&str>, origins: Option<&[&str]>, app_url: Option<&str>) -> Result<Option<RelyingParty>> {
        let passkey_origins = origins.map(|origins| origins.iter().map(|origin| (*origin).to_owned()).collect());
        let (passkey_rp_id, app_url) = (rp_id.map(str::to_owned), app_url.map(str::to_owned));
        RelyingParty::new(&OpenOptions { passkey_rp_id, passkey_origins, app_url, ..Default::default() })
    }

    #[test]
    fn the_address_of_the_application_is_enough() {
        let of_app = party(None, None, Some("https://app.example.com/notes/")).expect("fine").expect("there is one");
        assert_eq!((of_app.id.as_str(), of_app.origins), ("app.example.com", vec!["https://app.example.com".to_owned()]));
        let of_desk = party(None, None, Some("http://localhost:5173")).expect("fine").expect("there is one");
        assert_eq!((of_desk.id.as_str(), of_desk.origins), ("localhost", vec!["http://localhost:5173".to_owned()]));
        assert!(party(None, None, None).expect("fine").is_none());
        for other in ["http://127.0.0.1:5173", "http://app.example.com", "no address"] {
            assert!(party(None, None, Some(other)).expect("fine").is_none(), "{other} is no domain, or not safe");
        }
        let android = "android:apk-key-hash:0123456789012345678901234567890123456789_-A";
        party(Some("example.com"), Some(&["https://example.com", "https://app.example.com:8443", android]), None).expect("fine");
    }

    #[test]
    fn what_is_no_domain_or_no_origin_is_refused() {
        for id in ["", "Example.com", "https://example.com", "example.com:443", "192.0.2.7", "example.com.", "exa mple.com", "/"]
        {
            let refused = party(Some(id), Some(&["https://example.com"]), None).expect_err(id);
            assert_eq!(refused.reason(), "malformed_option", "{id}");
        }
        for origin in [
            "",
            "example.com",
            "https://example.com/",
            "https://example.com:443",
            "http://example.com",
            "https://Example.com",
            "*",
            "https://*.example.com",
            "null",
            "https://ada@example.com",
            "android:apk-key-hash:short",
        ] {
            let refused = party(Some("example.com"), Some(&[origin]), None).expect_err(origin);
            assert_eq!(refused.reason(), "malformed_option", "{origin}");
        }
        assert_eq!(party(Some("example.com"), None, None).expect_err("no origin").reason(), "malformed_option");
    }
}
