//! What the host decides about people whom it does not know yet.

use crate::config::OpenOptions;

pub(crate) struct SocialSettings {
    /// Whether somebody without an account gets one.
    pub(super) sign_up: bool,
    /// Whether an address that is believed leads to the account that has it.
    pub(super) implicit_linking: bool,
}

impl SocialSettings {
    pub(crate) fn new(options: &OpenOptions) -> Self {
        Self { sign_up: options.sign_up_by_social.unwrap_or(true), implicit_linking: options.implicit_linking.unwrap_or(true) }
    }
}
