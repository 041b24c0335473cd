//! What an installation is opened with.

use crate::accounts::SignInProvider;
use crate::integrations::hooks::{Hooks, OperationHook};
use crate::{
    BreachedPasswords, Clock, JobKind, KeyProvider, KeychainOptions, MailSender, MailTemplate, Pkcs11Options, Secret, SmtpOptions,
};
use atom_macros::model;
use std::collections::HashMap;
use std::net::IpAddr;
use std::sync::Arc;

/// How to open an installation, the same in every language.
#[model(secret, default)]
pub struct OpenOptions {
    /// `sqlite:./atom.db` (made if missing), `postgres://user:password@host/database`, or `memory:` for a private one that vanishes when it
    /// is closed, as tests want it; then a missing key is made up.
    pub database_url: String,
    /// The key-encryption key: 32 bytes in base64. Default: the environment variable `ATOM_KEY`.
    pub key: Option<Secret>,
    /// A file that holds the key in base64, instead of `key`.
    pub key_file: Option<String>,
    /// Make `key_file` with a fresh key if it does not exist. Default: false, so that a lost key is noticed.
    pub create_key_file: Option<bool>,
    /// A key in the system's keychain, instead of `key`. A build without the feature `keychain` refuses it with `unsupported` (`feature_missing`).
    pub keychain: Option<KeychainOptions>,
    /// A key in a hardware security module, instead of `key`. A build without the feature `pkcs11` refuses it with `unsupported`
    /// (`feature_missing`).
    pub pkcs11: Option<Pkcs11Options>,
    /// Further keys, in base64, that may have wrapped data keys: the old key until `Keys.rotate` has replaced it, or the next one before. Default, where
    /// the key is that of `ATOM_KEY`: the environment variable `ATOM_ACCEPTED_KEYS`, separated by commas.
    pub accepted_keys: Option<Vec<Secret>>,
    /// Files that hold such keys, as `key_file` does.
    pub accepted_key_files: Option<Vec<String>>,
    /// Such keys in the system's keychain. None of them is made.
    pub accepted_keychains: Option<Vec<KeychainOptions>>,
    /// Such keys in hardware security modules. None of them is made.
    pub accepted_pkcs11: Option<Vec<Pkcs11Options>>,
    /// The providers to connect to, each with the host's own OAuth client.
    pub providers: Option<Vec<ProviderApp>>,
    /// The providers to sign in with, each with the host's own client.
    pub sign_in_providers: Option<Vec<SignInProvider>>,
    /// Whether whoever signs in with a provider and has no account gets one. Default: true.
    pub sign_up_by_social: Option<bool>,
    /// Whether a provider's word for an address leads to the account that has it. Default: true. With false, its user has to link it.
    pub implicit_linking: Option<bool>,
    /// Who signs access tokens: their `iss` and `aud`. Default: `atom`.
    pub issuer: Option<String>,
    /// The shortest new password, in characters. Default: 15; at least 8.
    pub min_password_length: Option<i32>,
    /// Whether new passwords are looked up in the list of leaked ones of Have I Been Pwned. Default: off, because that asks somebody else.
    pub breached_passwords: Option<BreachedPasswords>,
    /// Where they are looked up, if not there: an address that takes five hexadecimal digits behind it and answers as theirs does.
    pub breached_passwords_url: Option<String>,
    /// How long a link to reset a password is valid, in minutes, 5 to 1440. Default: 60.
    pub password_reset_minutes: Option<i32>,
    /// How long a session lasts that nobody refreshes, in days, 1 to 3650. Default: 30.
    pub session_idle_days: Option<i32>,
    /// How long a session lasts however often it is refreshed, in days, 1 to 3650. Default: 180.
    pub session_max_days: Option<i32>,
    /// How long a refresh token gives the same answer once more after its first use, in seconds, 0 to 600. Default: 30. After that it is taken for
    /// stolen, unless nobody has used the answer.
    pub refresh_grace_seconds: Option<i32>,
    /// How recent a proof of who acts has to be for what asks for a fresh one, in minutes, 1 to 1440. Default: 10. See `StepUp`.
    pub step_up_minutes: Option<i32>,
    /// The domain that passkeys are bound to, for pages there and on its subdomains: `example.com`. With another one, all passkeys of before are good for
    /// nothing. Default: the host of `app_url`; without either there are no passkeys.
    pub passkey_rp_id: Option<String>,
    /// The origins of the pages that ask for passkeys, each as browsers write it: `https://app.example.com`; of an Android app
    /// `android:apk-key-hash:…`. Default: that of `app_url`.
    pub passkey_origins: Option<Vec<String>>,
    /// How long a code that is mailed is valid, and the link that may stand beside it, in minutes, 1 to 10. Default: 10.
    pub code_minutes: Option<i32>,
    /// How long a link to sign in with is valid, in minutes, 1 to 60. Default: 15.
    pub link_minutes: Option<i32>,
    /// Makes an account for an unknown address when somebody signs in with a code or a link that was mailed there. Default: false, and then nothing is
    /// mailed to an unknown address.
    pub sign_up_by_code: Option<bool>,
    /// Lets in nobody whose address is not verified: `Accounts.begin_sign_up` takes the place of `sign_up`, and a right password of somebody who is not
    /// verified leads to `SignIn.VerificationRequired`. It needs a way to send mail. Default: false.
    pub require_verified_email: Option<bool>,
    /// How long an invitation into a workspace can be accepted, in days, 1 to 90. Default: 7.
    pub invitation_days: Option<i32>,
    /// From what age on a key that signs access tokens gets a successor by itself, in days, 1 to 3650, or 0 for never. Default: 90. See `SigningKeys`.
    pub signing_key_days: Option<i32>,
    /// The kinds of jobs that this process enqueues or handles.
    pub job_kinds: Option<Vec<JobKind>>,
    /// Bring the schema up to date on opening. Default: true. With false, an older schema is an error.
    pub migrate: Option<bool>,
    /// How long events are kept, in days, 1 to 3650. Default: 30. Who follows them may stay away for so long.
    pub keep_events_days: Option<i32>,
    /// How long a connection's tokens are kept in memory after they were read, in seconds, 0 to 60. Default: 1. For so long another
    /// process's revocation or reconnection may go unnoticed in this one; its own are noticed at once. With 0 every call reads the database. The
    /// same holds for the workspace's secret policies.
    pub token_cache_seconds: Option<f64>,
    /// Lets webhook endpoints, the hosts of service keys and those of providers that workspaces bring be on this machine, over plain http too: for
    /// development and tests. Default: false.
    pub loopback_webhooks: Option<bool>,
    /// Where the providers that workspaces bring send users back: each to this address, a slash, and its id, so that no answer is taken for another
    /// provider's. Every such address leads to the same page of the host, which calls `Connections.complete`. Default: none, and then workspaces bring
    /// only providers that need no redirect.
    pub workspace_callback_url: Option<String>,
    /// The address of the application, below which the links in mails lead: https, or http on this machine. No request is ever asked for it. Mail
    /// cannot be sent without it.
    pub app_url: Option<String>,
    /// How mails call the application. Default: the host of `app_url`.
    pub app_name: Option<String>,
    /// The mail server that sends the installation's mail. Default: none, and then whatever needs mail fails with `unsupported`
    /// (`mail_not_configured`), unless the host brings a mail sender.
    pub smtp: Option<SmtpOptions>,
    /// Whom mail is from: `Acme <no-reply@acme.example>`. Mail cannot be sent without it.
    pub mail_from: Option<String>,
    /// Where answers to mail go, if not there.
    pub mail_reply_to: Option<String>,
    /// Texts of the host's own, instead of Atom's or in further languages. Atom's are in English.
    pub mail_templates: Option<Vec<MailTemplate>>,
    /// How long what became of a mail is kept, in days, 1 to 3650. Default: 30.
    pub keep_mail_days: Option<i32>,
}

/// The host's OAuth client at one provider.
#[model(secret, default)]
pub struct ProviderApp {
    /// The provider's name in the catalogue: `google`.
    pub provider: String,
    /// The client id from the provider's developer console.
    pub client_id: String,
    /// The client secret; public clients have none.
    pub client_secret: Option<Secret>,
    /// Where the provider sends the user back: registered there, used exactly as written, and another one for each provider.
    pub redirect_uri: String,
    /// Further ones, of which `start` may name one: https links, those that an app has claimed among them; a loopback address such as
    /// `http://127.0.0.1/callback`, which stands for all its ports; or a private-use scheme such as `com.example.app:/callback`.
    pub redirect_uris: Option<Vec<String>>,
    /// Sends every request of this provider to one loopback address instead of its own hosts, for development and tests.
    pub development_endpoint: Option<String>,
    /// Whether `Connection.access_token` hands out this provider's tokens, for a vendor's own SDK. Default: no, they stay inside and requests
    /// are made with them.
    pub export_tokens: Option<bool>,
    /// A manifest (TOML) to use instead of the catalogue's, for a provider of the host's own.
    pub manifest: Option<String>,
    /// Changes to the catalogue's manifest (TOML): tables are merged into its tables, everything else replaces what stands there.
    /// `Provider.overrides` shows what they amount to.
    pub override_manifest: Option<String>,
}

/// Opens an [`Atom`](crate::Atom) from Rust, with everything that [`OpenOptions`] has and the parts that only Rust can supply.
///
/// ```
/// # tokio::runtime::Runtime::new().unwrap().block_on(async {
/// # let folder = tempfile::tempdir().unwrap();
/// # let url = format!("sqlite:{}", folder.path().join("atom.db").display());
/// use atom_core::{Atom, LocalKey};
///
/// let atom = Atom::builder(url).key(LocalKey::generate()?).min_password_length(12).open().await?;
/// # drop(atom);
/// # Ok::<(), atom_core::Error>(()) }).unwrap();
/// ```
#[must_use = "a builder does nothing until `open` is called"]
pub struct Builder {
    pub(crate) options: OpenOptions,
    pub(crate) key: Option<Arc<dyn KeyProvider>>,
    pub(crate) accepted: Vec<Arc<dyn KeyProvider>>,
    pub(crate) clock: Option<Arc<dyn Clock>>,
    pub(crate) hooks: Hooks,
    pub(crate) mail_sender: Option<Arc<dyn MailSender>>,
    /// Names that resolve as a test says, where users name addresses.
    pub(crate) names: HashMap<String, Vec<IpAddr>>,
}

impl Builder {
    pub(crate) fn new(database_url: String) -> Self {
        let options = OpenOptions { database_url, ..Default::default() };
        let (hooks, names) = (Hooks::default(), HashMap::new());
        Self { options, key: None, accepted: Vec::new(), clock: None, hooks, mail_sender: None, names }
    }

    /// Who keeps the key-encryption key. Default: the environment variable `ATOM_KEY`.
    pub fn key(mut self, provider: impl KeyProvider) -> Self {
        self.key = Some(Arc::new(provider));
        self
    }

    /// Adds a key that may have wrapped data keys: the old one until [`Keys::rotate`](crate::Keys::rotate) has replaced it, or the next one before.
    pub fn accept_key(mut self, provider: impl KeyProvider) -> Self {
        self.accepted.push(Arc::new(provider));
        self
    }

    /// Adds the host's OAuth client at one provider.
    pub fn provider(mut self, app: ProviderApp) -> Self {
        self.options.providers.get_or_insert_default().push(app);
        self
    }

    /// Adds a provider to sign in with.
    pub fn sign_in_provider(mut self, provider: SignInProvider) -> Self {
        self.options.sign_in_providers.get_or_insert_default().push(provider);
        self
    }

    /// Whether whoever signs in with a provider and has no account gets one. Default: true.
    pub fn sign_up_by_social(mut self, allowed: bool) -> Self {
        self.options.sign_up_by_social = Some(allowed);
        self
    }

    /// Whether a provider's word for an address leads to the account that has it. Default: true.
    pub fn implicit_linking(mut self, allowed: bool) -> Self {
        self.options.implicit_linking = Some(allowed);
        self
    }

    /// Declares a kind of job that this process enqueues or handles.
    pub fn job_kind(mut self, kind: JobKind) -> Self {
        self.options.job_kinds.get_or_insert_default().push(kind);
        self
    }

    /// Who signs access tokens. Default: `atom`.
    pub fn issuer(mut self, issuer: impl Into<String>) -> Self {
        self.options.issuer = Some(issuer.into());
        self
    }

    /// The shortest new password. Default: 15; at least 8.
    pub fn min_password_length(mut self, characters: i32) -> Self {
        self.options.min_password_length = Some(characters);
        self
    }

    /// Whether new passwords are looked up in the list of leaked ones of Have I Been Pwned. Default: off.
    pub fn breached_passwords(mut self, lookup: BreachedPasswords) -> Self {
        self.options.breached_passwords = Some(lookup);
        self
    }

    /// Where leaked passwords are looked up, instead of at Have I Been Pwned.
    pub fn breached_passwords_url(mut self, url: impl Into<String>) -> Self {
        self.options.breached_passwords_url = Some(url.into());
        self
    }

    /// How long a link to reset a password is valid, in minutes. Default: 60.
    pub fn password_reset_minutes(mut self, minutes: i32) -> Self {
        self.options.password_reset_minutes = Some(minutes);
        self
    }

    /// How long a session lasts that nobody refreshes, in days. Default: 30.
    pub fn session_idle_days(mut self, days: i32) -> Self {
        self.options.session_idle_days = Some(days);
        self
    }

    /// How long a session lasts however often it is refreshed, in days. Default: 180.
    pub fn session_max_days(mut self, days: i32) -> Self {
        self.options.session_max_days = Some(days);
        self
    }

    /// How long a refresh token gives the same answer once more after its first use, in seconds. Default: 30.
    pub fn refresh_grace_seconds(mut self, seconds: i32) -> Self {
        self.options.refresh_grace_seconds = Some(seconds);
        self
    }

    /// How recent a proof of who acts has to be for what asks for a fresh one, in minutes. Default: 10.
    pub fn step_up_minutes(mut self, minutes: i32) -> Self {
        self.options.step_up_minutes = Some(minutes);
        self
    }

    /// The domain that passkeys are bound to. Default: the host of the application's address.
    pub fn passkey_rp_id(mut self, domain: impl Into<String>) -> Self {
        self.options.passkey_rp_id = Some(domain.into());
        self
    }

    /// The origins of the pages that ask for passkeys. Default: that of the application's address.
    pub fn passkey_origins(mut self, origins: impl IntoIterator<Item = impl Into<String>>) -> Self {
        self.options.passkey_origins = Some(origins.into_iter().map(Into::into).collect());
        self
    }

    /// How long a code that is mailed is valid, in minutes, 1 to 10. Default: 10.
    pub fn code_minutes(mut self, minutes: i32) -> Self {
        self.options.code_minutes = Some(minutes);
        self
    }

    /// How long a link to sign in with is valid, in minutes, 1 to 60. Default: 15.
    pub fn link_minutes(mut self, minutes: i32) -> Self {
        self.options.link_minutes = Some(minutes);
        self
    }

    /// Whether a code or a link that was mailed to an unknown address makes an account. Default: false.
    pub fn sign_up_by_code(mut self, allowed: bool) -> Self {
        self.options.sign_up_by_code = Some(allowed);
        self
    }

    /// Whether nobody gets in whose address is not verified. Default: false.
    pub fn require_verified_email(mut self, required: bool) -> Self {
        self.options.require_verified_email = Some(required);
        self
    }

    /// From what age on a key that signs access tokens gets a successor by itself, in days. Default: 90; 0 for never.
    pub fn signing_key_days(mut self, days: i32) -> Self {
        self.options.signing_key_days = Some(days);
        self
    }

    /// Whether to bring the schema up to date on opening. Default: true.
    pub fn migrate(mut self, migrate: bool) -> Self {
        self.options.migrate = Some(migrate);
        self
    }

    /// How long events are kept, in days. Default: 30.
    pub fn keep_events_days(mut self, days: i32) -> Self {
        self.options.keep_events_days = Some(days);
        self
    }

    /// How long a connection's tokens are kept in memory after they were read, in seconds. Default: 1; 0 reads the database for every call.
    pub fn token_cache_seconds(mut self, seconds: f64) -> Self {
        self.options.token_cache_seconds = Some(seconds);
        self
    }

    /// Whether webhook endpoints, the hosts of service keys and those of providers that workspaces bring may be on this machine, over plain http
    /// too: for development and tests. Default: false.
    pub fn loopback_webhooks(mut self, allowed: bool) -> Self {
        self.options.loopback_webhooks = Some(allowed);
        self
    }

    /// Where the providers that workspaces bring send users back: each to this address, a slash, and its id. Default: nowhere.
    pub fn workspace_callback_url(mut self, url: impl Into<String>) -> Self {
        self.options.workspace_callback_url = Some(url.into());
        self
    }

    /// A function that manifests may name as `hook`, for an operation that they cannot describe. A manifest that names one which was not
    /// given is refused by [`open`](Builder::open).
    pub fn hook(mut self, name: impl Into<String>, hook: Arc<dyn OperationHook>) -> Self {
        self.hooks.add(name.into(), hook);
        self
    }

    /// The address of the application, below which the links in mails lead.
    pub fn app_url(mut self, url: impl Into<String>) -> Self {
        self.options.app_url = Some(url.into());
        self
    }

    /// How mails call the application. Default: the host of its address.
    pub fn app_name(mut self, name: impl Into<String>) -> Self {
        self.options.app_name = Some(name.into());
        self
    }

    /// The mail server that sends the installation's mail.
    pub fn smtp(mut self, server: SmtpOptions) -> Self {
        self.options.smtp = Some(server);
        self
    }

    /// Who sends the installation's mail, instead of a mail server.
    pub fn mail_sender(mut self, sender: impl MailSender) -> Self {
        self.mail_sender = Some(Arc::new(sender));
        self
    }

    /// Whom mail is from: `Acme <no-reply@acme.example>`.
    pub fn mail_from(mut self, address: impl Into<String>) -> Self {
        self.options.mail_from = Some(address.into());
        self
    }

    /// Where answers to mail go, if not to whom it is from.
    pub fn mail_reply_to(mut self, address: impl Into<String>) -> Self {
        self.options.mail_reply_to = Some(address.into());
        self
    }

    /// Adds a text of the host's own. One that could not be rendered is refused by [`open`](Builder::open).
    pub fn mail_template(mut self, template: MailTemplate) -> Self {
        self.options.mail_templates.get_or_insert_default().push(template);
        self
    }

    /// How long what became of a mail is kept, in days. Default: 30.
    pub fn keep_mail_days(mut self, days: i32) -> Self {
        self.options.keep_mail_days = Some(days);
        self
    }

    /// Has a name resolve to these addresses where users name what requests go to: for tests of what is refused.
    #[cfg(feature = "testing")]
    pub fn resolve(mut self, name: impl Into<String>, addresses: Vec<IpAddr>) -> Self {
        self.names.insert(name.into(), addresses);
        self
    }

    /// Where the time comes from. Default: the operating system.
    pub fn clock(mut self, clock: impl Clock) -> Self {
        self.clock = Some(Arc::new(clock));
        self
    }

    /// Opens the installation.
    ///
    /// # Errors
    /// - `invalid`: `malformed_database_url`, `database_unreadable`, `schema_newer`, `schema_older`, `malformed_manifest`, `unknown_hook`,
    ///   `malformed_smtp`, `malformed_mail_template`, …
    /// - `sealed`: `no_key`, `malformed_key`, `wrong_key`, `key_missing`, `key_provider_failed`, `database_damaged`, and those of
    ///   [`LocalKey::from_keychain`](crate::LocalKey) and `Pkcs11Key::open` where the options name such a key
    /// - `unsupported`: `feature_missing`
    /// - `unavailable`: `database_unreachable`, `database_busy`, `disk_full`
    pub async fn open(self) -> crate::Result<crate::Atom> {
        crate::Atom::build(self).await
    }
}
