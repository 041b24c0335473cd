//! What the host says about passwords.

use super::BreachedPasswords;
use super::common::Words;
use crate::config::OpenOptions;
use crate::http_client::is_loopback;
use crate::{Error, Result};
use chrono::TimeDelta;
use url::Url;

/// Where leaked passwords are looked up: the digits of the hash come after it.
const HAVE_I_BEEN_PWNED: &str = "https://api.pwnedpasswords.com/range/";

/// What the host says about passwords.
pub(crate) struct PasswordSettings {
    /// The fewest characters.
    pub(super) shortest: usize,
    /// Words of the application's.
    pub(super) words: Words,
    pub(super) breached: BreachedPasswords,
    pub(super) breached_url: Url,
    /// How long a link to reset one is valid.
    pub(super) reset_minutes: i64,
}

impl PasswordSettings {
    /// Fails with `invalid` (`malformed_option`).
    pub(crate) fn new(options: &OpenOptions) -> Result<Self> {
        let malformed = |text: &str| Error::invalid("malformed_option", text);
        let shortest = options.min_password_length.unwrap_or(15);
        if !(8..=64).contains(&shortest) {
            return Err(malformed("min_password_length is between 8 and 64"));
        }
        let reset_minutes = options.password_reset_minutes.unwrap_or(60);
        if !(5..=1440).contains(&reset_minutes) {
            return Err(malformed("password_reset_minutes is between 5 and 1440"));
        }
        let url = options.breached_passwords_url.as_deref().unwrap_or(HAVE_I_BEEN_PWNED);
        let url = Url::parse(url)
            .ok()
            .filter(|url| url.scheme() == "https" || is_loopback(url))
            .filter(|url| url.path().ends_with('/'));
        let text = "breached_passwords_url is https, or http on this machine, and ends in a slash, behind which the digits come";
        Ok(Self {
            shortest: usize::try_from(shortest).unwrap_or(15),
            words: Words::of_application(options),
            breached: options.breached_passwords.unwrap_or(BreachedPasswords::Off),
            breached_url: url.ok_or_else(|| malformed(text))?,
            reset_minutes: reset_minutes.into(),
        })
    }

    /// How long a link to reset a password is valid.
    pub(super) fn reset_life(&self) -> TimeDelta {
        TimeDelta::minutes(self.reset_minutes)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn refused(options: &OpenOptions) {
        assert_eq!(PasswordSettings::new(options).err().expect("refused").reason(), "malformed_option");
    }

    #[test]
    fn p02_options_that_would_weaken_passwords_are_refused() {
        for length in [-1, 0, 7, 65] {
            refused(&OpenOptions { min_password_length: Some(length), ..Default::default() });
        }
        for minutes in [0, 4, 1441] {
            refused(&OpenOptions { password_reset_minutes: Some(minutes), ..Default::default() });
        }
        for url in ["", "example.com/", "http://example.com/range/", "https://example.com/range", "file:///range/"] {
            refused(&OpenOptions { breached_passwords_url: Some(url.into()), ..Default::default() });
        }
        let settings = PasswordSettings::new(&OpenOptions::default()).expect("the defaults");
        assert_eq!((settings.shortest, settings.breached, settings.reset_minutes), (15, BreachedPasswords::Off, 60));
    }
}
