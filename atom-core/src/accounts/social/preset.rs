//! What is known of some providers in advance, as data.

use crate::{Error, Result};
use serde::Deserialize;
use std::collections::BTreeMap;

/// A provider of which no discovery document is read.
#[derive(Clone, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct Preset {
    /// The name to show.
    pub(super) title: String,
    /// When the rest was last compared with the vendor's documents.
    #[cfg_attr(not(test), allow(dead_code))] // for whoever looks after the file
    verified_at: String,
    /// `{tenantid}` stands for the tenant of a token.
    pub(super) issuer: String,
    /// `{tenant}` stands for the tenant that is asked, here and below.
    pub(super) authorize_url: String,
    #[serde(default)]
    pub(super) authorize_query: BTreeMap<String, String>,
    pub(super) token_url: String,
    /// Where there are ID tokens.
    pub(super) keys_url: Option<String>,
    pub(super) userinfo_url: Option<String>,
    /// Where there are none: the account, and its addresses.
    pub(super) user_url: Option<String>,
    pub(super) emails_url: Option<String>,
    pub(super) scopes: Vec<String>,
    pub(super) email: EmailTrust,
}

/// When an address is believed to be the person's.
#[derive(Clone, Copy, Debug, PartialEq, Deserialize)]
#[serde(rename_all = "snake_case")]
pub(super) enum EmailTrust {
    Never,
    Claim,
    Authoritative,
    DomainOwner,
}

/// The preset of a name, if there is one.
pub(super) fn find(name: &str) -> Result<Option<Preset>> {
    Ok(all()?.remove(name))
}

fn all() -> Result<BTreeMap<String, Preset>> {
    let text = include_str!("presets.toml");
    toml::from_str(text).map_err(|e| Error::internal("presets", "the presets of sign-in providers cannot be read").with_source(e))
}

/// Their names, for people.
pub(super) fn names() -> String {
    all().map(|all| all.into_keys().collect::<Vec<_>>().join(", ")).unwrap_or_default()
}

#[cfg(test)]
mod tests {
    use super::*;
    use url::Url;

    #[test]
    fn every_preset_is_whole_and_leads_over_https() {
        let all = all().expect("well-formed");
        assert_eq!(names(), "apple, github, google, microsoft");
        for (name, preset) in all {
            let urls =
                [Some(&preset.authorize_url), Some(&preset.token_url), preset.keys_url.as_ref(), preset.userinfo_url.as_ref()];
            let more = [preset.user_url.as_ref(), preset.emails_url.as_ref()];
            for url in urls.into_iter().chain(more).flatten() {
                let url = Url::parse(&url.replace("{tenant}", "common")).expect(url);
                assert_eq!(url.scheme(), "https", "{name}: {url}");
            }
            assert_ne!(preset.keys_url.is_some(), preset.user_url.is_some(), "{name} has ID tokens or an API");
            assert_eq!(preset.user_url.is_some(), preset.emails_url.is_some(), "{name}");
            assert!(preset.verified_at.starts_with("20") && !preset.title.is_empty(), "{name}");
        }
    }
}
