//! Why an answer to a challenge is refused.

use crate::{Error, ErrorKind};

/// A part of an answer, or why it is refused.
pub(super) type Checked<T> = Result<T, Refusal>;

/// A check of WebAuthn Level 3, section 7.1 or 7.2, that failed.
#[derive(Debug, Clone, Copy, PartialEq)]
pub(super) enum Refusal {
    /// It cannot be read.
    Malformed(&'static str),
    /// It is of a registration instead of a signature, or the other way round.
    Ceremony,
    Challenge,
    /// The page was within a page of another origin.
    Framed,
    Origin,
    RelyingParty,
    /// Nobody touched the device.
    Absent,
    /// The device does not know who touched it.
    Unverified,
    /// What it says of its backups contradicts itself, or what it said before.
    Backups,
    Attested,
    Algorithm,
    /// No user, or not the one who is asked, has the passkey.
    Unknown,
    Signature,
}

impl From<&'static str> for Refusal {
    fn from(what: &'static str) -> Self {
        Self::Malformed(what)
    }
}

impl Refusal {
    pub(super) fn reason(self) -> &'static str {
        match self {
            Self::Malformed(_) => "passkey_malformed",
            Self::Ceremony => "passkey_wrong_ceremony",
            Self::Challenge => "passkey_wrong_challenge",
            Self::Framed => "passkey_framed",
            Self::Origin => "passkey_wrong_origin",
            Self::RelyingParty => "passkey_wrong_relying_party",
            Self::Absent => "passkey_user_absent",
            Self::Unverified => "passkey_user_unverified",
            Self::Backups => "passkey_backups_changed",
            Self::Attested => "passkey_attested",
            Self::Algorithm => "passkey_wrong_algorithm",
            Self::Unknown => "passkey_unknown",
            Self::Signature => "passkey_wrong_signature",
        }
    }

    /// Why, and what to do about it.
    fn text(self) -> (&'static str, &'static str) {
        match self {
            Self::Malformed(what) => (what, "pass on what `credential.toJSON()` gives, unchanged"),
            Self::Ceremony => ("it is the answer to another question", "begin again"),
            Self::Challenge => ("it is the answer to another challenge", "begin again"),
            Self::Framed => ("it comes from a page within a page of another origin", "ask for the passkey in a page of its own"),
            Self::Origin => {
                ("it comes from a page of another origin", "name the origin in `passkey_origins`, if the page is yours")
            }
            Self::RelyingParty => ("it is for another relying party", "begin again"),
            Self::Absent => ("nobody confirmed it on the device", "begin again"),
            Self::Unverified => {
                ("the device has not verified its user", "let the user set a PIN or a screen lock on it, or use another device")
            }
            Self::Backups => {
                ("what it says of its backups is not what it said before", "let the user sign in in another way, and add it anew")
            }
            Self::Attested => ("it has an attestation, and none was asked for", "pass the options on to the browser unchanged"),
            Self::Algorithm => {
                ("its public key is of a kind that was not asked for", "pass the options on to the browser unchanged")
            }
            Self::Unknown => ("no user who may use it here has such a passkey", "let the user sign in in another way"),
            Self::Signature => ("its signature is wrong", "begin again"),
        }
    }

    pub(super) fn into_error(self, kind: ErrorKind) -> Error {
        let (why, mend) = self.text();
        Error::new(kind, self.reason(), format!("the answer to the challenge was refused, because {why}: {mend}"))
    }
}
