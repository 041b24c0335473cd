//! What an issuer publishes about itself (OpenID Connect Discovery 1.0).

use super::ClientAuth;
use crate::http_client::is_loopback;
use crate::{Error, ErrorKind, Result};
use serde::Deserialize;
use url::Url;

/// The parts of the document that a sign-in needs.
#[derive(Deserialize)]
pub(crate) struct Discovery {
    pub(crate) issuer: String,
    pub(crate) authorization_endpoint: Url,
    pub(crate) token_endpoint: Url,
    pub(crate) jwks_uri: Url,
    pub(crate) userinfo_endpoint: Option<Url>,
    /// Whether every callback has `iss` (RFC 9207).
    #[serde(default)]
    pub(crate) authorization_response_iss_parameter_supported: bool,
    token_endpoint_auth_methods_supported: Option<Vec<String>>,
}

impl Discovery {
    /// Where an issuer's document is.
    ///
    /// Fails with `invalid` (`malformed_issuer`).
    pub(crate) fn url(issuer: &str) -> Result<Url> {
        let malformed = |text: &str| Error::invalid("malformed_issuer", text);
        let url =
            Url::parse(issuer).map_err(|e| malformed("an issuer is a URL such as https://login.example.com").with_source(e))?;
        if !is_safe(&url, is_loopback(&url)) || url.query().is_some() || url.fragment().is_some() {
            return Err(malformed("an issuer is an https URL without a user name, a query or a fragment"));
        }
        let url = format!("{}/.well-known/openid-configuration", issuer.trim_end_matches('/'));
        Url::parse(&url).map_err(|e| malformed("an issuer is a URL such as https://login.example.com").with_source(e))
    }

    /// The document of an issuer, which must be its own: another issuer's would let its tokens in.
    ///
    /// Fails with `provider` (`discovery_malformed`, `discovery_issuer_mismatch`).
    pub(crate) fn read(issuer: &str, document: &[u8]) -> Result<Self> {
        let refused = |reason, text: &str| Error::new(ErrorKind::Provider, reason, text);
        let malformed =
            "the issuer's `/.well-known/openid-configuration` is not what OpenID Connect Discovery says: check the issuer";
        let document: Self = serde_json::from_slice(document).map_err(|_| refused("discovery_malformed", malformed))?;
        // As text (§4.3): what is nearly the same is another issuer.
        if document.issuer != issuer {
            let text =
                "the discovery document is of another issuer than the one it was read from: correct `issuer`, to the letter";
            return Err(refused("discovery_issuer_mismatch", text));
        }
        let is_local = Url::parse(issuer).is_ok_and(|issuer| is_loopback(&issuer));
        let urls = [&document.authorization_endpoint, &document.token_endpoint, &document.jwks_uri];
        if urls.into_iter().chain(&document.userinfo_endpoint).any(|url| !is_safe(url, is_local)) {
            return Err(refused("discovery_malformed", malformed));
        }
        Ok(document)
    }

    /// How the client shows its secret (§3: Basic where nothing is said).
    pub(crate) fn client_auth(&self) -> ClientAuth {
        let methods = self.token_endpoint_auth_methods_supported.as_deref();
        let takes_basic = methods.is_none_or(|methods| methods.iter().any(|method| method == "client_secret_basic"));
        if takes_basic { ClientAuth::Basic } else { ClientAuth::Body }
    }
}

/// Nobody on the way can read along, and no credential is in it.
fn is_safe(url: &Url, is_local: bool) -> bool {
    let is_confidential = url.scheme() == "https" || (url.scheme() == "http" && is_local && is_loopback(url));
    is_confidential && url.username().is_empty() && url.password().is_none()
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::{Value, json};

    fn document() -> Value {
        json!({
            "issuer": "https://login.example.com/realm",
            "authorization_endpoint": "https://login.example.com/auth",
            "token_endpoint": "https://login.example.com/token",
            "jwks_uri": "https://keys.example.com/jwks",
        })
    }

    fn read(issuer: &str, document: &Value) -> Result<Discovery> {
        Discovery::read(issuer, document.to_string().as_bytes())
    }

    #[test]
    fn p26_a_document_of_another_issuer_is_refused() {
        let issuer = "https://login.example.com/realm";
        assert_eq!(read(issuer, &document()).expect("its own").client_auth(), ClientAuth::Basic);
        for other in ["https://login.example.com/realm/", "https://login.example.com", "https://Login.example.com/realm"] {
            assert_eq!(read(other, &document()).err().expect(other).reason(), "discovery_issuer_mismatch");
        }
    }

    #[test]
    fn p26_a_document_that_leads_into_the_clear_is_refused() {
        for (name, url) in [
            ("token_endpoint", "http://login.example.com/token"),
            ("jwks_uri", "http://127.0.0.1/keys"),
            ("jwks_uri", "file:///etc/passwd"),
            ("authorization_endpoint", "javascript:alert(1)"),
            ("userinfo_endpoint", "https://user:password@login.example.com/me"),
            ("token_endpoint", "not a URL"),
        ] {
            let mut document = document();
            document[name] = url.into();
            let error = read("https://login.example.com/realm", &document).err().expect(url);
            assert_eq!(error.reason(), "discovery_malformed", "{url}");
        }
    }

    #[test]
    fn the_document_is_below_the_whole_issuer() {
        let at = |issuer: &str| Discovery::url(issuer).map(String::from);
        let expected = "https://login.example.com/realm/.well-known/openid-configuration";
        assert_eq!(at("https://login.example.com/realm").expect("a URL"), expected);
        assert_eq!(at("https://login.example.com/realm/").expect("a URL"), expected);
        for wrong in ["login.example.com", "http://login.example.com", "https://a@login.example.com", "https://a.example/?x=1"] {
            let error = at(wrong).expect_err(wrong);
            assert_eq!(error.reason(), "malformed_issuer", "{wrong}");
        }
    }
}
