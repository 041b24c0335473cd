//! How an installation proves addresses.

use super::Intent;
use crate::config::OpenOptions;
use crate::{Error, Result};

/// How long proofs of addresses are valid, and what they are needed for.
#[derive(Clone, Copy)]
pub(crate) struct EmailProofSettings {
    code_minutes: i64,
    link_minutes: i64,
    /// Whether a code or a link that was mailed to an unknown address makes an account.
    pub(in crate::accounts) signs_up: bool,
    /// Whether nobody gets in whose address is not verified.
    pub(in crate::accounts) is_required: bool,
}

impl EmailProofSettings {
    /// Fails with `invalid` (`malformed_option`).
    pub(crate) fn new(options: &OpenOptions) -> Result<Self> {
        let minutes = |name: &str, minutes: Option<i32>, default: i32, most: i32| {
            let minutes = minutes.unwrap_or(default);
            let fits = (1..=most).contains(&minutes);
            let text = format!("{name} is between 1 and {most}");
            if fits { Ok(i64::from(minutes)) } else { Err(Error::invalid("malformed_option", text)) }
        };
        Ok(Self {
            code_minutes: minutes("code_minutes", options.code_minutes, 10, 10)?,
            link_minutes: minutes("link_minutes", options.link_minutes, 15, 60)?,
            signs_up: options.sign_up_by_code.unwrap_or(false),
            is_required: options.require_verified_email.unwrap_or(false),
        })
    }

    /// For how long a proof is valid. Eight digits can be guessed, the token of a link cannot.
    pub(super) fn minutes(&self, intent: Intent) -> i64 {
        if intent.has_code() { self.code_minutes } else { self.link_minutes }
    }
}
