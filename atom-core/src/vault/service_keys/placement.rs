//! Where the value of a key stands in a request, and how it is taken out of what comes back.

use super::KeyPlacement;
use crate::http_client::{self, Request, Response, secret_header};
use crate::{Error, Result, Secret};
use reqwest::header::{
    ACCEPT_ENCODING, AUTHORIZATION, CONNECTION, CONTENT_LENGTH, CONTENT_TYPE, HOST, HeaderName, HeaderValue, TRANSFER_ENCODING,
};
use zeroize::Zeroizing;

/// The longest name, prefix and user name, in bytes.
const LONGEST: usize = 200;

impl KeyPlacement {
    /// What a host asked for, in its one form.
    ///
    /// Fails with `invalid` (`malformed_placement`).
    pub(super) fn checked(given: Option<Self>) -> Result<Self> {
        let malformed = |text: &str| Err(Error::invalid("malformed_placement", text));
        let is_text = |text: &str| text.len() <= LONGEST && text.bytes().all(|b| (b' '..=b'~').contains(&b));
        let bearer = || Self::Header { name: AUTHORIZATION.to_string(), prefix: Some("Bearer ".into()) };
        match given.unwrap_or_else(bearer) {
            Self::Header { name, prefix } => {
                let taken = [HOST, CONTENT_TYPE, CONTENT_LENGTH, TRANSFER_ENCODING, CONNECTION, ACCEPT_ENCODING];
                let name = HeaderName::from_bytes(name.as_bytes()).ok().filter(|name| name.as_str().len() <= LONGEST);
                let Some(name) = name.filter(|name| !taken.contains(name)) else {
                    return malformed("the header's name is one that HTTP allows and that has no other use, such as `x-api-key`");
                };
                if !prefix.as_deref().is_none_or(is_text) {
                    return malformed("the prefix is at most 200 printable ASCII characters, such as `Bearer `");
                }
                Ok(Self::Header { name: name.as_str().to_owned(), prefix: prefix.filter(|prefix| !prefix.is_empty()) })
            }
            Self::Query { name } if !name.is_empty() && is_text(&name) => Ok(Self::Query { name }),
            Self::Query { .. } => malformed("the parameter's name is 1 to 200 printable ASCII characters, such as `key`"),
            // RFC 7617 §2: a colon ends the user name.
            Self::Basic { username } if username.as_deref().is_none_or(|name| is_text(name) && !name.contains(':')) => {
                Ok(Self::Basic { username })
            }
            Self::Basic { .. } => malformed("the user name is at most 200 printable ASCII characters without a colon"),
        }
    }

    /// The header that carries the value.
    pub(super) fn header(&self) -> Option<HeaderName> {
        match self {
            Self::Header { name, .. } => HeaderName::from_bytes(name.as_bytes()).ok(),
            Self::Basic { .. } => Some(AUTHORIZATION),
            Self::Query { .. } => None,
        }
    }

    /// That header, with the value. Nothing prints it.
    ///
    /// Fails with `invalid` (`malformed_service_key_value`) for a value that no header can carry.
    pub(super) fn carrier(&self, value: &Secret) -> Result<Option<(HeaderName, HeaderValue)>> {
        let text = match self {
            Self::Header { prefix, .. } => Zeroizing::new(format!("{}{}", prefix.as_deref().unwrap_or_default(), value.expose())),
            Self::Basic { username } => basic(username.as_deref(), value),
            Self::Query { .. } => return Ok(None),
        };
        let unfit = || {
            let text = "the key has a line break or another character that no header can carry: copy it once more, without them";
            Error::invalid("malformed_service_key_value", text)
        };
        let carrier = secret_header(&text).ok_or_else(unfit)?;
        Ok(self.header().map(|name| (name, carrier)))
    }

    /// Puts the value into a request.
    ///
    /// Fails with `invalid` (`reserved_query`, `malformed_service_key_value`).
    pub(super) fn put(&self, request: &mut Request, value: &Secret) -> Result<()> {
        if let Self::Query { name } = self {
            if request.url.query_pairs().any(|(given, _)| given == name.as_str()) {
                return Err(Error::invalid("reserved_query", format!("the parameter `{name}` is set by Atom: leave it out")));
            }
            request.url.query_pairs_mut().append_pair(name, value.expose());
        }
        request.headers.extend(self.carrier(value)?);
        // A compressed answer would hide the value from whoever looks for it.
        request.headers.insert(ACCEPT_ENCODING, HeaderValue::from_static("identity"));
        Ok(())
    }

    /// Takes the value out of an answer, also in the form in which it was sent.
    pub(super) fn cut(&self, answer: &mut Response, value: &Secret) {
        answer.cut(value.expose());
        if let Self::Basic { username } = self {
            answer.cut(basic(username.as_deref(), value).trim_start_matches("Basic "));
        }
    }
}

/// The value as the password of a user name, or as a user name without a password.
fn basic(username: Option<&str>, value: &Secret) -> Zeroizing<String> {
    match username {
        Some(username) => http_client::basic(username, value.expose()),
        None => http_client::basic(value.expose(), ""),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use base64::Engine;
    use base64::engine::general_purpose::{STANDARD, URL_SAFE_NO_PAD};
    use reqwest::header::HeaderMap;
    use std::time::Duration;
    use url::Url;

    const VALUE: &str = "sk-secret/+value\"9";

    fn header(name: &str, prefix: Option<&str>) -> KeyPlacement {
        KeyPlacement::Header { name: name.into(), prefix: prefix.map(str::to_owned) }
    }

    fn by_basic(username: Option<&str>) -> KeyPlacement {
        KeyPlacement::Basic { username: username.map(str::to_owned) }
    }

    fn request(url: &str) -> Request {
        let url = Url::parse(url).expect("a URL");
        Request { method: reqwest::Method::GET, url, headers: HeaderMap::new(), body: Vec::new(), timeout: Duration::ZERO }
    }

    fn sent(placement: &KeyPlacement) -> Request {
        let mut request = request("https://api.example.com/v1?page=2");
        placement.put(&mut request, &VALUE.into()).expect("it fits");
        request
    }

    #[test]
    fn a_value_goes_where_the_service_looks_for_it() {
        let bearer = sent(&KeyPlacement::checked(None).expect("the default"));
        assert_eq!(bearer.headers["authorization"], format!("Bearer {VALUE}"));
        assert_eq!(sent(&header("x-api-key", None)).headers["x-api-key"], VALUE);
        let query = sent(&KeyPlacement::Query { name: "key".into() });
        assert_eq!(query.url.query_pairs().collect::<Vec<_>>(), [("page".into(), "2".into()), ("key".into(), VALUE.into())]);
        for (username, expected) in [(Some("api"), format!("api:{VALUE}")), (None, format!("{VALUE}:"))] {
            let sent = sent(&by_basic(username));
            let text = sent.headers["authorization"].to_str().expect("text").strip_prefix("Basic ").expect("basic");
            assert_eq!(STANDARD.decode(text).expect("base64"), expected.as_bytes());
        }
    }

    #[test]
    fn a_header_with_a_value_is_not_printed() {
        for placement in [header("x-api-key", None), by_basic(None)] {
            assert!(!format!("{:?}", sent(&placement).headers).contains("secret"));
        }
    }

    #[test]
    fn a_parameter_of_the_callers_cannot_stand_beside_the_value() {
        let placement = KeyPlacement::Query { name: "key".into() };
        for url in ["https://a.example/?key=x", "https://a.example/?a=b&%6Bey="] {
            assert_eq!(placement.put(&mut request(url), &VALUE.into()).expect_err(url).reason(), "reserved_query");
        }
    }

    #[test]
    fn what_http_cannot_carry_is_refused() {
        let long = "x".repeat(201);
        for wrong in [
            header("x api key", None),
            header("", None),
            header("host", None),
            header("Content-Length", None),
            header("x-api-key", Some("Bearer\n")),
            header("x-api-key", Some(&long)),
            KeyPlacement::Query { name: String::new() },
            KeyPlacement::Query { name: "k\u{e4}y".into() },
            by_basic(Some("a:b")),
            by_basic(Some("a\rb")),
        ] {
            let reason = KeyPlacement::checked(Some(wrong.clone())).err().map(|e| e.reason());
            assert_eq!(reason, Some("malformed_placement"), "{wrong:?}");
        }
        let error = header("x-api-key", None).carrier(&"line\nbreak".into()).expect_err("no header has one");
        assert_eq!(error.reason(), "malformed_service_key_value");
        by_basic(None).carrier(&"line\nbreak".into()).expect("in base64 it is fine");
        assert_eq!(KeyPlacement::checked(Some(header("X-Api-Key", Some("")))).expect("fine"), header("x-api-key", None));
    }

    #[test]
    fn a_value_is_cut_out_of_an_answer_in_every_usual_form() {
        let placement = by_basic(Some("api"));
        let forms = [
            VALUE.to_owned(),
            STANDARD.encode(VALUE),
            URL_SAFE_NO_PAD.encode(VALUE),
            STANDARD.encode(format!("api:{VALUE}")),
            "sk-secret%2F%2Bvalue%229".to_owned(),
            "sk-secret/+value\\\"9".to_owned(),
        ];
        for form in forms {
            let text = format!("before {form} between {form} after");
            let headers = HeaderMap::from_iter([(reqwest::header::LOCATION, HeaderValue::from_str(&text).expect("a header"))]);
            let mut answer = Response { status: 200, headers, body: text.into_bytes() };
            placement.cut(&mut answer, &VALUE.into());
            let expected = "before [redacted] between [redacted] after";
            assert_eq!(String::from_utf8_lossy(&answer.body), expected);
            assert_eq!(answer.headers["location"], expected);
        }
        let mut clean = Response { status: 200, headers: HeaderMap::new(), body: b"sk-secret".to_vec() };
        placement.cut(&mut clean, &VALUE.into());
        assert_eq!(clean.body, b"sk-secret");
    }
}
