//! What each mail says: its data, so that nobody can forget a part, and the variables that its templates know.

use crate::Secret;
use crate::mail::{MailKind, address};
use chrono::{DateTime, TimeDelta, Utc};
use serde_json::{Map, Value, json};

/// How long a notice is worth sending.
const NOTICE: TimeDelta = TimeDelta::days(1);

/// What a mail says.
pub(crate) enum Template {
    VerifyEmail(VerifyEmail),
    ResetPassword(ResetPassword),
    SignInCode(SignInCode),
    MagicLink(MagicLink),
    Invite(Invite),
    NewDevice(NewDevice),
    PasswordChanged(PasswordChanged),
    EmailChanged(EmailChanged),
    EmailChangeRequested(EmailChangeRequested),
    AccountExists(AccountExists),
    FactorChanged(FactorChanged),
    IdentityChanged(IdentityChanged),
}

/// Asks whether an address is its user's: by a link, and by a code where the user is to type one.
pub(crate) struct VerifyEmail {
    pub(crate) token: Secret,
    pub(crate) code: Option<Secret>,
    /// How long they are valid.
    pub(crate) minutes: i64,
}

/// Lets a user choose a new password.
pub(crate) struct ResetPassword {
    pub(crate) token: Secret,
    pub(crate) minutes: i64,
}

/// A code to sign in with.
pub(crate) struct SignInCode {
    pub(crate) code: Secret,
    pub(crate) minutes: i64,
}

/// A link to sign in with.
pub(crate) struct MagicLink {
    pub(crate) token: Secret,
    pub(crate) minutes: i64,
}

/// Invites somebody into a workspace.
pub(crate) struct Invite {
    pub(crate) token: Secret,
    pub(crate) minutes: i64,
    /// Who invites, as they call themselves.
    pub(crate) inviter: String,
    pub(crate) workspace: String,
    pub(crate) role: String,
}

/// Tells of a sign-in on a device that was not seen before.
pub(crate) struct NewDevice {
    pub(crate) at: DateTime<Utc>,
    pub(crate) device: String,
    pub(crate) place: Option<String>,
}

/// Tells that the password was changed.
pub(crate) struct PasswordChanged {
    pub(crate) at: DateTime<Utc>,
}

/// Tells the address before that the account has another one now.
pub(crate) struct EmailChanged {
    pub(crate) at: DateTime<Utc>,
    /// The whole of it; the mail shows it masked.
    pub(crate) new_email: String,
}

/// Tells the address that an account has that it is about to get another one.
pub(crate) struct EmailChangeRequested {
    pub(crate) at: DateTime<Utc>,
    /// The whole of it; the mail shows it masked.
    pub(crate) new_email: String,
}

/// Tells the owner of an account that somebody asked for another one with its address.
pub(crate) struct AccountExists {
    pub(crate) at: DateTime<Utc>,
}

/// Tells that a second factor was added or removed.
pub(crate) struct FactorChanged {
    pub(crate) at: DateTime<Utc>,
    /// `totp`, `passkey`, `recovery_codes`, …
    pub(crate) factor: &'static str,
    pub(crate) is_added: bool,
}

/// Tells that an account at a provider was linked or unlinked.
pub(crate) struct IdentityChanged {
    pub(crate) at: DateTime<Utc>,
    /// The name to show.
    pub(crate) provider: String,
    pub(crate) is_added: bool,
}

impl Template {
    pub(in crate::mail) fn kind(&self) -> MailKind {
        match self {
            Self::VerifyEmail(_) => MailKind::VerifyEmail,
            Self::ResetPassword(_) => MailKind::ResetPassword,
            Self::SignInCode(_) => MailKind::SignInCode,
            Self::MagicLink(_) => MailKind::MagicLink,
            Self::Invite(_) => MailKind::Invite,
            Self::NewDevice(_) => MailKind::NewDevice,
            Self::PasswordChanged(_) => MailKind::PasswordChanged,
            Self::EmailChanged(_) => MailKind::EmailChanged,
            Self::EmailChangeRequested(_) => MailKind::EmailChangeRequested,
            Self::AccountExists(_) => MailKind::AccountExists,
            Self::FactorChanged(_) => MailKind::FactorChanged,
            Self::IdentityChanged(_) => MailKind::IdentityChanged,
        }
    }

    /// For how long the mail is worth sending: a code that is no longer valid only confuses.
    pub(in crate::mail) fn lifetime(&self) -> TimeDelta {
        match self {
            Self::VerifyEmail(VerifyEmail { minutes, .. })
            | Self::ResetPassword(ResetPassword { minutes, .. })
            | Self::SignInCode(SignInCode { minutes, .. })
            | Self::MagicLink(MagicLink { minutes, .. })
            | Self::Invite(Invite { minutes, .. }) => TimeDelta::minutes(*minutes),
            Self::NewDevice(_)
            | Self::PasswordChanged(_)
            | Self::EmailChanged(_)
            | Self::EmailChangeRequested(_)
            | Self::AccountExists(_)
            | Self::FactorChanged(_)
            | Self::IdentityChanged(_) => NOTICE,
        }
    }

    /// The variables of its own. Links are made here, from the configured address of the application and nothing else.
    pub(super) fn variables(&self, app_url: &str) -> Map<String, Value> {
        let link = |page: &str, token: &Secret| format!("{app_url}/{page}?token={}", token.expose());
        let at = |at: &DateTime<Utc>| at.format("%Y-%m-%d %H:%M UTC").to_string();
        let variables = match self {
            Self::VerifyEmail(VerifyEmail { token, code, minutes }) => {
                let code = code.as_ref().map(Secret::expose);
                json!({ "link": link("verify-email", token), "token": token.expose(), "code": code, "minutes": minutes })
            }
            Self::ResetPassword(ResetPassword { token, minutes }) => {
                json!({ "link": link("reset-password", token), "token": token.expose(), "minutes": minutes })
            }
            Self::SignInCode(SignInCode { code, minutes }) => json!({ "code": code.expose(), "minutes": minutes }),
            Self::MagicLink(MagicLink { token, minutes }) => {
                json!({ "link": link("sign-in", token), "token": token.expose(), "minutes": minutes })
            }
            Self::Invite(Invite { token, minutes, inviter, workspace, role }) => json!({
                "link": link("accept-invitation", token),
                "token": token.expose(),
                "minutes": minutes,
                "inviter": address::name(inviter),
                "workspace": address::name(workspace),
                "role": role,
            }),
            Self::NewDevice(NewDevice { at: moment, device, place }) => {
                let place = place.as_deref().map(address::name);
                json!({ "at": at(moment), "device": address::name(device), "place": place })
            }
            Self::PasswordChanged(PasswordChanged { at: moment }) | Self::AccountExists(AccountExists { at: moment }) => {
                json!({ "at": at(moment) })
            }
            Self::EmailChanged(EmailChanged { at: moment, new_email })
            | Self::EmailChangeRequested(EmailChangeRequested { at: moment, new_email }) => {
                json!({ "at": at(moment), "new_email": address::masked(new_email) })
            }
            Self::FactorChanged(FactorChanged { at: moment, factor, is_added }) => {
                json!({ "at": at(moment), "factor": factor, "change": if *is_added { "added" } else { "removed" } })
            }
            Self::IdentityChanged(IdentityChanged { at: moment, provider, is_added }) => {
                json!({ "at": at(moment), "provider": provider, "change": if *is_added { "added" } else { "removed" } })
            }
        };
        match variables {
            Value::Object(variables) => variables,
            _ => Map::new(),
        }
    }

    /// A mail of each kind as it might be, to try templates with: one that has everything, and one that has the least.
    pub(in crate::mail) fn samples(kind: MailKind) -> [Self; 2] {
        let at = DateTime::UNIX_EPOCH + TimeDelta::days(20_000);
        let token = || Secret::from("sample-token");
        let code = || Secret::from("12345678");
        let both = |make: fn(DateTime<Utc>, bool) -> Self| [make(at, true), make(at, false)];
        match kind {
            MailKind::VerifyEmail => {
                [Some(code()), None].map(|code| Self::VerifyEmail(VerifyEmail { token: token(), code, minutes: 60 }))
            }
            MailKind::ResetPassword => [60, 15].map(|minutes| Self::ResetPassword(ResetPassword { token: token(), minutes })),
            MailKind::SignInCode => [10, 5].map(|minutes| Self::SignInCode(SignInCode { code: code(), minutes })),
            MailKind::MagicLink => [15, 5].map(|minutes| Self::MagicLink(MagicLink { token: token(), minutes })),
            MailKind::Invite => ["member", "admin"].map(|role| {
                let (inviter, workspace) = ("Ada Lovelace".to_owned(), "Engines".to_owned());
                Self::Invite(Invite { token: token(), minutes: 7 * 24 * 60, inviter, workspace, role: role.to_owned() })
            }),
            MailKind::NewDevice => [Some("London".to_owned()), None]
                .map(|place| Self::NewDevice(NewDevice { at, device: "Firefox on Linux".into(), place })),
            MailKind::PasswordChanged => both(|at, _| Self::PasswordChanged(PasswordChanged { at })),
            MailKind::EmailChanged => {
                both(|at, _| Self::EmailChanged(EmailChanged { at, new_email: "grace@example.com".into() }))
            }
            MailKind::EmailChangeRequested => {
                both(|at, _| Self::EmailChangeRequested(EmailChangeRequested { at, new_email: "grace@example.com".into() }))
            }
            MailKind::AccountExists => both(|at, _| Self::AccountExists(AccountExists { at })),
            MailKind::FactorChanged => {
                both(|at, is_added| Self::FactorChanged(FactorChanged { at, factor: "passkey", is_added }))
            }
            MailKind::IdentityChanged => {
                both(|at, is_added| Self::IdentityChanged(IdentityChanged { at, provider: "Google".into(), is_added }))
            }
        }
    }
}
