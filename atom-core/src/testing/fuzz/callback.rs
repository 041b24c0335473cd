//! Whatever URL comes back, no parameter has two values, and it is nobody's but the redirect URI's.

use super::account::check_text;
use crate::oauth;

const BEGUN: &str = "https://app.example/sign-in/house?kind=1";

/// Reads the URL that a provider sent the user back to.
pub fn callback(data: &[u8]) {
    let Ok(text) = std::str::from_utf8(data) else { return };
    let (url, answer) = match oauth::parse(text) {
        Ok(read) => read,
        Err(error) => {
            assert_eq!(error.reason(), "malformed_callback");
            return check_text(&error);
        }
    };
    assert_eq!(url.query_pairs().count(), answer.len(), "a parameter was lost");
    if oauth::is_at(&url, BEGUN) {
        let is_ours = url.scheme() == "https" && url.host_str() == Some("app.example") && url.port().is_none();
        assert!(is_ours && url.path() == "/sign-in/house" && url.username().is_empty(), "{url} is not the redirect URI");
    }
    let issuer = "https://login.example.com";
    let is_named = answer.get("iss").is_some_and(|said| said == issuer);
    assert_eq!(oauth::check_issuer(Some(issuer), true, &answer).is_ok(), is_named);
    if let Some(code) = answer.get("error") {
        check_text(&oauth::declined(code));
    }
}
