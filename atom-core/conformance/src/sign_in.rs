//! `sign_in.toml`: what the vendors' documentation says about the requests of a sign-in.

use crate::inputs::Inputs;
use crate::manifest::Manifest;
use crate::sources::home;
use serde::Deserialize;
use std::collections::BTreeMap;
use std::fmt;

/// One request of a sign-in.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) enum Step {
    /// Where the user is sent.
    Authorize,
    /// A code for tokens.
    Exchange,
    /// A refresh token for new ones.
    Refresh,
    /// The end of a grant.
    Revoke,
    /// Whose account it is; some vendors are asked several things.
    Identity(usize),
}

impl fmt::Display for Step {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Authorize => "authorize",
            Self::Exchange => "exchange",
            Self::Refresh => "refresh",
            Self::Revoke => "revoke",
            Self::Identity(_) => "identity",
        })
    }
}

/// What one vendor says. A step that is not there is one that the vendor does not have.
#[derive(Default, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub(crate) struct SignIn {
    authorize: Option<Rules>,
    exchange: Option<Rules>,
    refresh: Option<Rules>,
    revoke: Option<Rules>,
    identity: Vec<Rules>,
}

/// What a request of one step must be. The head of `sign_in.toml` explains the fields.
#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct Rules {
    /// For people.
    #[allow(dead_code)]
    page: String,
    pub(crate) url: String,
    pub(crate) op: Option<String>,
    method: Option<String>,
    #[serde(default = "form")]
    pub(crate) bodies: Vec<Encoding>,
    #[serde(default)]
    pub(crate) client: Vec<ClientAuth>,
    #[serde(default)]
    pub(crate) required: BTreeMap<String, String>,
    #[serde(default)]
    pub(crate) optional: Vec<String>,
    #[serde(default)]
    pub(crate) without: Vec<String>,
    #[serde(default)]
    pub(crate) own: bool,
    #[serde(default)]
    pub(crate) headers: BTreeMap<String, String>,
    pub(crate) separator: Option<String>,
}

/// How the parameters of a body are written.
#[derive(Clone, Copy, PartialEq, Deserialize)]
#[serde(rename_all = "snake_case")]
pub(crate) enum Encoding {
    Form,
    Json,
    None,
}

/// How a request says which client it is from.
#[derive(Clone, Copy, PartialEq, Deserialize)]
#[serde(rename_all = "snake_case")]
pub(crate) enum ClientAuth {
    /// Id and secret among the parameters.
    Body,
    /// Id and secret in the header (RFC 7617).
    Basic,
    /// The secret alone, as a bearer token.
    Secret,
    /// The user's access token instead, as a bearer token.
    Token,
    /// Not at all.
    None,
}

fn form() -> Vec<Encoding> {
    vec![Encoding::Form]
}

impl Rules {
    pub(crate) fn method(&self, step: Step) -> &str {
        let usual = if matches!(step, Step::Authorize | Step::Identity(_)) { "GET" } else { "POST" };
        self.method.as_deref().unwrap_or(usual)
    }

    /// The parameters that must be there, with their values: those of the RFC, and the vendor's.
    pub(crate) fn required(&self, step: Step) -> BTreeMap<&str, &str> {
        let of_rfc: &[(&str, &str)] = match step {
            _ if self.own => &[],
            Step::Authorize => {
                &[("response_type", "code"), ("client_id", "{client_id}"), ("redirect_uri", "{redirect_uri}"), ("state", "*")]
            }
            Step::Exchange => &[("grant_type", "authorization_code"), ("code", "{code}"), ("redirect_uri", "{redirect_uri}")],
            Step::Refresh => &[("grant_type", "refresh_token"), ("refresh_token", "{refresh_token}")],
            Step::Revoke => &[("token", "{any_token}")],
            Step::Identity(_) => &[],
        };
        let own = self.required.iter().map(|(name, value)| (name.as_str(), value.as_str()));
        of_rfc.iter().copied().chain(own).collect()
    }

    /// The parameters that may be there.
    pub(crate) fn optional(&self, step: Step) -> Vec<&str> {
        let of_rfc: &[&str] = match step {
            _ if self.own => &[],
            Step::Authorize => &["scope", "code_challenge", "code_challenge_method"],
            Step::Exchange => &["code_verifier"],
            Step::Refresh => &["scope"],
            Step::Revoke => &["token_type_hint"],
            Step::Identity(_) => &[],
        };
        let known = of_rfc.iter().copied().filter(|name| !self.without.iter().any(|unknown| unknown == name));
        known.chain(self.optional.iter().map(String::as_str)).collect()
    }
}

impl SignIn {
    /// What is known of a provider; nothing where nobody has looked yet.
    pub(crate) fn read(provider: &str) -> Result<Option<Self>, String> {
        let path = home().join("sign_in.toml");
        let text = std::fs::read_to_string(&path).map_err(|e| format!("{}: {e}", path.display()))?;
        let mut all: BTreeMap<String, Self> = toml::from_str(&text).map_err(|e| format!("sign_in.toml: {e}"))?;
        Ok(all.remove(provider))
    }

    pub(crate) fn rules(&self, step: Step) -> Option<&Rules> {
        match step {
            Step::Authorize => self.authorize.as_ref(),
            Step::Exchange => self.exchange.as_ref(),
            Step::Refresh => self.refresh.as_ref(),
            Step::Revoke => self.revoke.as_ref(),
            Step::Identity(i) => self.identity.get(i),
        }
    }

    /// The steps that the vendor has.
    pub(crate) fn steps(&self) -> Vec<Step> {
        let grant = [Step::Authorize, Step::Exchange, Step::Refresh, Step::Revoke];
        let grant = grant.into_iter().filter(|step| self.rules(*step).is_some());
        grant.chain((0..self.identity.len()).map(Step::Identity)).collect()
    }

    /// The operations of the vendor's description that a sign-in uses.
    pub(crate) fn operations(&self) -> Vec<&str> {
        self.steps().into_iter().filter_map(|step| self.rules(step)?.op.as_deref()).collect()
    }

    /// Where the manifest asks elsewhere than the vendor says, or for something that the vendor does not have.
    pub(crate) fn strays(&self, manifest: &Manifest, inputs: &Inputs) -> Vec<String> {
        let fill = |url: &str| inputs.filled(&manifest.name, url.split('?').next().unwrap_or_default());
        let known = |step: Step| self.rules(step).map(|rules| fill(&rules.url));
        let mut strays = Vec::new();
        for (step, ours) in addresses(manifest) {
            let known = match step {
                // In whatever order they are asked for.
                Step::Identity(_) => {
                    let all: Vec<String> = self.identity.iter().map(|rules| fill(&rules.url)).collect();
                    if all.contains(&fill(&ours)) { Some(fill(&ours)) } else { all.first().cloned() }
                }
                step => known(step),
            };
            match known {
                None => strays.push(format!("{step}: the vendor has no such request, and the manifest has {ours}")),
                Some(theirs) if theirs != fill(&ours) => {
                    strays.push(format!("{step}: is sent to {}, but the vendor has it at {theirs}", fill(&ours)));
                }
                Some(_) => {}
            }
        }
        strays
    }
}

/// Where the manifest sends each request, as a template.
pub(crate) fn addresses(manifest: &Manifest) -> Vec<(Step, String)> {
    let (auth, identity) = (&manifest.table["auth"], &manifest.table["identity"]);
    let revoke = auth["revoke"]["url"].as_str().or(auth["revoke_url"].as_str());
    let grant = [
        (Step::Authorize, auth["authorize_url"].as_str()),
        (Step::Exchange, auth["token_url"].as_str()),
        (Step::Refresh, auth["refresh_url"].as_str().or(auth["token_url"].as_str())),
        (Step::Revoke, revoke),
    ];
    let more = identity["more"].as_array().into_iter().flatten();
    let identities = std::iter::once(identity).chain(more).filter_map(|rules| rules["url"].as_str());
    let identities = identities.enumerate().map(|(i, url)| (Step::Identity(i), Some(url)));
    grant.into_iter().chain(identities).filter_map(|(step, url)| Some((step, url?.to_owned()))).collect()
}
