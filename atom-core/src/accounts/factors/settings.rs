//! How factors of this installation introduce themselves.

use super::passkeys::RelyingParty;
use crate::Result;
use crate::config::OpenOptions;
use url::Url;

/// What an installation tells the apps and devices of its users.
pub(crate) struct FactorSettings {
    /// How they call the application.
    pub(super) app_name: String,
    /// None where there are no passkeys.
    pub(super) relying_party: Option<RelyingParty>,
}

impl FactorSettings {
    /// Fails with `invalid` (`malformed_option`).
    pub(crate) fn new(options: &OpenOptions) -> Result<Self> {
        let host = || options.app_url.as_deref().and_then(|url| Url::parse(url).ok()?.host_str().map(str::to_owned));
        let given = options.app_name.as_deref().map(str::trim).filter(|name| !name.is_empty()).map(str::to_owned);
        let app_name = given.or_else(host).or_else(|| options.issuer.clone()).unwrap_or_else(|| "Atom".to_owned());
        // A colon ends the issuer in what an authenticator app reads.
        Ok(Self { app_name: app_name.replace(':', " "), relying_party: RelyingParty::new(options)? })
    }
}
