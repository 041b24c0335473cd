//! What the mail API takes and returns.

use crate::{MailId, Secret, UserId, WorkspaceId};
use atom_macros::model;
use chrono::{DateTime, Utc};
use std::collections::HashMap;

/// What a mail is for.
#[model]
pub enum MailKind {
    /// Asks whether an address is its user's.
    VerifyEmail,
    /// Lets a user choose a new password.
    ResetPassword,
    /// A code to sign in with.
    SignInCode,
    /// A link to sign in with.
    MagicLink,
    /// Invites somebody into a workspace.
    Invite,
    /// Tells of a sign-in on a device that was not seen before.
    NewDevice,
    /// Tells that the password was changed.
    PasswordChanged,
    /// Tells the address before that the account has another one now.
    EmailChanged,
    /// Tells the address that an account has that it is about to get another one.
    EmailChangeRequested,
    /// Tells the owner of an account that somebody asked for another one with its address.
    AccountExists,
    /// Tells that a second factor was added or removed.
    FactorChanged,
    /// Tells that an account at a provider was linked or unlinked.
    IdentityChanged,
}

/// The host's own text of a mail in one language, instead of Atom's.
///
/// Each part is a template in the language of Jinja: `{{ app_name }}`, `{% if name %}…{% endif %}`. What is put into `html` is escaped. All
/// of them know `app_name`, `app_url`, `locale`, `subject` (but for the subject itself) and `name` (the recipient's, or none), and besides:
///
/// | kind | variables |
/// | --- | --- |
/// | `verify_email` | `link`, `token`, `code` (or none), `minutes` |
/// | `reset_password`, `magic_link` | `link`, `token`, `minutes` |
/// | `sign_in_code` | `code`, `minutes` |
/// | `invite` | `link`, `token`, `minutes`, `inviter`, `workspace`, `role` |
/// | `new_device` | `at`, `device`, `place` (or none) |
/// | `password_changed` | `at` |
/// | `email_changed`, `email_change_requested` | `at`, `new_email` (masked) |
/// | `account_exists` | `at` |
/// | `factor_changed` | `at`, `factor` (`totp`, `passkey`, …), `change` (`added` or `removed`) |
/// | `identity_changed` | `at`, `provider` (`Google`, …), `change` (`added` or `removed`) |
///
/// `link` leads to a page below `app_url`: `/verify-email`, `/reset-password`, `/sign-in` or `/accept-invitation`, with `?token=`. For
/// another page, write the link with `app_url` and `token`. `minutes` is how long it is valid, and `at` a moment in UTC. A text in HTML may begin with
/// `{% extends "layout.html" %}` and have a block `body`.
#[model]
pub struct MailTemplate {
    /// Which mail.
    pub kind: MailKind,
    /// In which language: `de`, `pt-BR`. A mail for `de-AT` takes the text for `de-AT`, else that for `de`, else that for `en`.
    pub locale: String,
    /// The subject, in one line.
    pub subject: String,
    /// The plain text.
    pub text: String,
    /// The text in HTML. Default: none, and then the mail is plain text.
    pub html: Option<String>,
}

/// How the connection to a mail server is encrypted.
#[model]
pub enum SmtpSecurity {
    /// It begins in the clear and must become encrypted before anything is said. The usual port is 587.
    StartTls,
    /// It is encrypted from its beginning. The usual port is 465.
    Tls,
    /// It is not encrypted: only to a server on this machine.
    Plain,
}

/// The mail server that sends the installation's mail.
#[model(secret, default)]
pub struct SmtpOptions {
    /// Its name: `smtp.example.com`. Its certificate must be for this name.
    pub host: String,
    /// Its port. Default: that of `security`; 25 without encryption.
    pub port: Option<i32>,
    /// How the connection is encrypted. Default: `tls` on port 465, else `start_tls`.
    pub security: Option<SmtpSecurity>,
    /// Who signs in there. Default: nobody.
    pub user_name: Option<String>,
    /// Their password.
    pub password: Option<Secret>,
    /// A certificate (PEM) of an authority of the host's own, trusted beside the public ones.
    pub ca_certificate: Option<String>,
    /// The name by which this machine introduces itself. Default: the domain of `mail_from`.
    pub hello_name: Option<String>,
}

/// A mail on its way out, as a sender gets it. It may hold a code or a link that lets somebody in: never log it.
#[model(secret)]
pub struct OutgoingMail {
    /// The same for every attempt at this mail: an idempotency key for services that take one.
    pub id: MailId,
    /// What it is for.
    pub kind: MailKind,
    /// Whom it is from: `Acme <no-reply@acme.example>`.
    pub sender: String,
    /// Whom it goes to: the address alone. The domain is in ASCII; the name before it may not be, and then needs a server with SMTPUTF8.
    pub to: String,
    /// Where answers go, if not to the sender.
    pub reply_to: Option<String>,
    /// The subject: one line.
    pub subject: String,
    /// The plain text.
    pub text: String,
    /// The text in HTML, if there is one.
    pub html: Option<String>,
    /// Further headers: `Message-ID` and `Auto-Submitted`. Services that report bounces name the first, or the id that they gave.
    pub headers: HashMap<String, String>,
}

/// Where a mail stands.
#[model]
pub enum MailDeliveryState {
    /// It waits for its first or its next attempt.
    Queued,
    /// The server or the service has taken it. Whether it arrived is not known.
    Sent,
    /// It will not be tried again.
    Failed,
    /// It was sent and came back: `Mail.report` said so.
    Bounced,
    /// Its recipient called it spam: `Mail.report` said so.
    Complained,
}

/// What became of one mail. It has neither the text nor the whole address.
#[model]
pub struct MailDelivery {
    /// Its id.
    pub id: MailId,
    /// What it is for.
    pub kind: MailKind,
    /// In which language it is written.
    pub locale: String,
    /// Whom it goes to, masked: `a***@example.com`.
    pub to: String,
    /// The user to whom it is, if it is one.
    pub user_id: Option<UserId>,
    /// The workspace that it is about, if it is about one.
    pub workspace_id: Option<WorkspaceId>,
    /// Where it stands.
    pub state: MailDeliveryState,
    /// How often it was tried.
    pub attempts: i32,
    /// What the server or the service called it.
    pub receipt_id: Option<String>,
    /// Why the last attempt failed (`mail_refused`, `mail_deferred`, `mail_server_unreachable`, …), why it was given up (`mail_expired`), or what the
    /// report of a bounce said.
    pub reason: Option<String>,
    /// The same for people.
    pub explanation: Option<String>,
    /// When it was queued.
    pub created_at: DateTime<Utc>,
    /// It is not sent after this moment: what it says is not true any more.
    pub expires_at: DateTime<Utc>,
    /// When it was taken.
    pub sent_at: Option<DateTime<Utc>>,
    /// When it failed for good, or was reported.
    pub failed_at: Option<DateTime<Utc>>,
}

/// Which mails to list, newest first.
#[model(default)]
pub struct MailDeliveryFilter {
    /// Only those that stand here.
    pub state: Option<MailDeliveryState>,
    /// Only those for this.
    pub kind: Option<MailKind>,
    /// Only those to this user.
    pub user_id: Option<UserId>,
    /// Only those queued at or after this moment.
    pub since: Option<DateTime<Utc>>,
    /// Only those queued before this moment.
    pub until: Option<DateTime<Utc>>,
    /// How many at most on a page, 1 to 1000. Default: 100.
    pub page_size: Option<i32>,
    /// Where the last page ended.
    pub cursor: Option<String>,
}

/// A page of mails.
#[model]
pub struct MailDeliveryPage {
    /// The mails, newest first.
    pub items: Vec<MailDelivery>,
    /// Where the next page begins; none after the last.
    pub next_cursor: Option<String>,
}

/// What a service says about a mail after it was sent. Give `message_id` or `receipt_id`.
#[model(default)]
pub struct MailReport {
    /// The `Message-ID` of the mail.
    pub message_id: Option<String>,
    /// What the service called it when it took it.
    pub receipt_id: Option<String>,
    /// Whether its recipient called it spam. Default: no, it came back.
    pub is_complaint: Option<bool>,
    /// Why, as a code: `5.1.1`, `mailbox_full`. 1 to 64 letters, digits, points, hyphens and underscores.
    pub reason: Option<String>,
}

/// A mail as its recipient would see it.
#[model]
pub struct MailPreview {
    /// In which language it is written.
    pub locale: String,
    /// The subject.
    pub subject: String,
    /// The plain text.
    pub text: String,
    /// The text in HTML, if there is one.
    pub html: Option<String>,
}
