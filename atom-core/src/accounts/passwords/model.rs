//! What the API of passwords takes.

use crate::accounts::Client;
use atom_macros::model;

/// Whether new passwords are looked up in the list of leaked ones of Have I Been Pwned, and what to do when it cannot be asked.
///
/// The first five hexadecimal digits of the password's SHA-1 leave the process, which some 2,000 leaked passwords share, and nothing else: not the
/// password, nor whose it is. The answer is padded, so that its length does not tell anything either.
#[model]
pub enum BreachedPasswords {
    /// They are not looked up, and nobody is asked. The default, because the list is somebody else's.
    Off,
    /// A leaked password is refused. Where the list cannot be asked, it is accepted.
    FailOpen,
    /// A leaked password is refused. Where the list cannot be asked, so is every other, with `breach_check_failed`.
    FailClosed,
}

/// Somebody who has forgotten a password.
#[model(default)]
pub struct PasswordResetRequest {
    /// The e-mail address, as they typed it.
    pub email: String,
    /// The language of the mail, such as `de-AT`, where their account has none. Default: English.
    pub locale: Option<String>,
    /// What is known of the client that asks.
    pub client: Option<Client>,
}
