//! How a vendor says no.

use super::condition::Condition;
use super::path::Path;
use serde::Deserialize;
use serde_json::Value;

/// What tells a refusal, and what it means.
#[derive(Debug, Default, Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct Errors {
    /// Where the vendor's own error code stands; the first path that leads anywhere.
    #[serde(default)]
    pub(crate) code: Vec<Path>,
    /// An answer with a status of success that does not fulfil this is a refusal.
    pub(crate) success: Option<Condition>,
    /// One that fulfils this is a refusal, too.
    pub(crate) failure: Option<Condition>,
    #[serde(default)]
    pub(crate) rules: Vec<ErrorRule>,
}

/// A status and a code that mean something other than usual.
#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct ErrorRule {
    pub(crate) status: Option<u16>,
    /// One that ends in `*` stands for all that begin so.
    #[serde(default)]
    pub(crate) codes: Vec<String>,
    /// What the answer says beside the code.
    pub(crate) when: Option<Condition>,
    pub(crate) kind: RuleKind,
}

/// What a rule can make of an error.
#[derive(Clone, Copy, Debug, PartialEq, Deserialize)]
#[serde(rename_all = "snake_case")]
pub(crate) enum RuleKind {
    RateLimited,
    /// The token itself is refused: as good as a 401.
    Unauthenticated,
    ReauthRequired,
    NotFound,
    Conflict,
    Unavailable,
    Provider,
    Invalid,
    Forbidden,
    Unsupported,
}

impl ErrorRule {
    /// Whether it names a code.
    pub(crate) fn is_code(&self, code: &str) -> bool {
        self.codes.iter().any(|known| is_meant(known, code))
    }
}

impl Errors {
    /// The first rule for a status, a code and what else the answer says.
    pub(crate) fn rule(&self, status: u16, code: Option<&str>, document: &Value) -> Option<RuleKind> {
        let fits = |rule: &&ErrorRule| {
            rule.status.is_none_or(|known| known == status)
                && (rule.codes.is_empty() || code.is_some_and(|code| rule.is_code(code)))
                && rule.when.as_ref().is_none_or(|when| when.holds(document))
        };
        self.rules.iter().find(fits).map(|rule| rule.kind)
    }
}

fn is_meant(known: &str, code: &str) -> bool {
    known.strip_suffix('*').map_or(known == code, |begin| code.starts_with(begin))
}
