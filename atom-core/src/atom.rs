//! The handle of one installation, and what all of it shares.

use crate::accounts::{
    self, Accounts, AllWorkspaces, EmailProofSettings, FactorSettings, PasswordSettings, SessionSettings, SignInProviders,
    SocialSettings, Turns, Users,
};
use crate::clock::{Clock, SystemClock};
use crate::config::{Builder, OpenOptions};
use crate::connect::{self, Apps, Exports, Flights, KnownManifests, Provider, RegisteredCache};
use crate::crypto::password::Hasher;
use crate::crypto::{HostKey, KeyRing, SigningRing};
use crate::egress::Egress;
use crate::emergency;
use crate::ending::{self, Farewell};
use crate::events::{self, EventType};
use crate::holdings::{HOLDINGS, Holdings};
use crate::http_client::HttpClient;
use crate::integrations::engine::Budgets;
use crate::integrations::hooks::{Hooks, HostHook};
use crate::jobs::{self, Chore, Handler, Jobs, Kinds, Queues, WeakWorker, Worker, WorkerOptions};
use crate::keys::{self, Keys, SigningKeys};
use crate::mail::{self, HostMailSender, Mail, Outbox};
use crate::oauth::check_callback_url;
use crate::providers::{self, CatalogueEntry};
use crate::schedules::{self, Schedules};
#[cfg(feature = "testing")]
use crate::storage::Topic;
use crate::storage::{Db, OwnDb, Schema};
use crate::tally::{self, Tally};
use crate::vault::TokenCache;
use crate::vault::leases::{self, LeasedSecret};
use crate::vault::policies::{Denials, PolicyCache};
use crate::vault::service_keys;
use crate::webhooks;
use crate::{Error, Result, Scope, Secret, UserId, WorkspaceId};
use atom_macros::{api, handle};
use chrono::{DateTime, TimeDelta, Utc};
use std::collections::HashMap;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

/// How long a process that shuts down waits for the refreshes that it has begun.
const LANDING: Duration = Duration::from_secs(15);

/// One installation: a database, a key and the providers it connects to. Cloning it is cheap and gives the same installation.
///
/// ```
/// # tokio::runtime::Runtime::new().unwrap().block_on(async {
/// # let folder = tempfile::tempdir().unwrap();
/// # let url = format!("sqlite:{}", folder.path().join("atom.db").display());
/// use atom_core::{Atom, LocalKey};
///
/// let atom = Atom::builder(url).key(LocalKey::generate()?).open().await?;
/// assert!(atom.schema().migrations().await?.iter().all(|m| m.applied));
/// # Ok::<(), atom_core::Error>(()) }).unwrap();
/// ```
#[handle]
pub struct Atom {
    inner: Arc<Inner>,
}

/// What every handle of an installation shares.
pub(crate) struct Inner {
    db: OwnDb,
    clock: Arc<dyn Clock>,
    pub(crate) keys: KeyRing,
    pub(crate) signing: SigningRing,
    /// The `iss` and `aud` of access tokens.
    pub(crate) issuer: String,
    pub(crate) hasher: Hasher,
    pub(crate) passwords: PasswordSettings,
    pub(crate) sessions: SessionSettings,
    /// How recent a proof has to be for what asks for a fresh one.
    pub(crate) step_up: TimeDelta,
    /// How addresses are proved.
    pub(crate) email_proofs: EmailProofSettings,
    pub(crate) factors: FactorSettings,
    pub(crate) sign_ins: Turns,
    pub(crate) sign_in_providers: SignInProviders,
    pub(crate) social: SocialSettings,
    /// How long an invitation can be accepted.
    pub(crate) invitation_life: TimeDelta,
    /// What is done elsewhere when a member or a workspace goes: accounts know nobody above them.
    pub(crate) farewell: Farewell,
    /// What is kept elsewhere of a user.
    pub(crate) holdings: Holdings,
    pub(crate) http: HttpClient,
    pub(crate) egress: Egress,
    pub(crate) apps: Apps,
    /// Where the providers of workspaces send users back.
    pub(crate) workspace_callback_url: Option<String>,
    pub(crate) registered: RegisteredCache,
    pub(crate) known_manifests: KnownManifests,
    pub(crate) hooks: Hooks,
    pub(crate) budgets: Budgets,
    pub(crate) flights: Flights,
    pub(crate) token_cache: TokenCache,
    pub(crate) policy_cache: PolicyCache,
    pub(crate) denials: Denials,
    pub(crate) exports: Exports,
    /// How long events are kept.
    keep_events: TimeDelta,
    pub(crate) mail: Outbox,
    pub(crate) kinds: Kinds,
    /// The workers of this process, which are stopped with it.
    workers: Mutex<Vec<WeakWorker>>,
    pub(crate) tails: events::Tails,
    pub(crate) service_key_usage: Tally<service_keys::Uses>,
    pub(crate) connection_usage: Tally<connect::Used>,
}

impl Inner {
    /// The database, unless this is a fork of the process that opened it.
    pub(crate) fn db(&self) -> Result<&Db> {
        self.db.get()
    }

    pub(crate) fn now(&self) -> DateTime<Utc> {
        self.clock.now()
    }

    /// Whether a worker works in this process, so that it is one that stays.
    pub(crate) fn has_worker(&self) -> bool {
        let workers = self.workers.lock().unwrap_or_else(PoisonError::into_inner);
        workers.iter().any(|worker| worker.working().is_some())
    }
}

#[api]
impl Atom {
    /// Opens an installation, making it if the database is empty.
    ///
    /// Fails with `invalid` (`malformed_database_url`, `schema_newer`, `malformed_manifest`, …), `sealed` (`no_key`, `wrong_key`,
    /// `key_missing`, `database_damaged`) or `unavailable` (`database_unreachable`, `disk_full`). Nothing is lost in any of these cases.
    ///
    /// A key in the system's keychain: `sealed` (`keychain_unavailable`, `keychain_locked`, `keychain_failed`, `key_ambiguous`). One in a
    /// hardware module: `sealed` (`wrong_pin`, `pin_locked`, `pin_expired`, `pin_last_try`, `key_ambiguous`, `key_unsuitable`,
    /// `key_provider_failed`) or `unavailable` (`key_provider_unavailable`, `key_provider_timeout`). Where this build has no such keys:
    /// `unsupported` (`feature_missing`).
    pub async fn open(options: OpenOptions) -> Result<Self> {
        let mut builder = Builder::new(String::new());
        builder.options = options;
        Self::build(builder).await
    }

    /// Opens an installation whose key-encryption key is kept by the host: in a key management service, a hardware module, the key store of
    /// the system. Without `key`, the options or the environment name the key, as in `open`. `accepted_keys` are further keys of the
    /// host's that may have wrapped data keys, beside those of the options: the old key until `Keys.rotate` has replaced it.
    ///
    /// Fails as `open` does, and with `invalid` (`malformed_fingerprint`), `sealed` (`key_provider_failed`) or `unavailable`
    /// (`key_provider_timeout`).
    pub async fn open_with_keys(options: OpenOptions, key: Option<HostKey>, accepted_keys: Option<Vec<HostKey>>) -> Result<Self> {
        Self::open_with_hooks(options, HashMap::new(), key, accepted_keys, None).await
    }

    /// Opens an installation with functions of the host's for operations that manifests cannot describe. Each is named as the manifests
    /// of `options.providers` name it with `hook`. The keys are those of `open_with_keys`. `mail_sender` sends the installation's mail, instead of
    /// `options.smtp`.
    ///
    /// Fails as `open_with_keys` does, and with `invalid` (`unknown_hook`: a manifest names one that is not among them). A call of such an
    /// operation fails with `provider` (`hook_failed`) where the function throws something, of which only the name of
    /// its class is told; with `unavailable` (`hook_timeout`) after 120 seconds; and with whatever error of Atom the function throws.
    pub async fn open_with_hooks(
        options: OpenOptions,
        hooks: HashMap<String, HostHook>,
        key: Option<HostKey>,
        accepted_keys: Option<Vec<HostKey>>,
        mail_sender: Option<HostMailSender>,
    ) -> Result<Self> {
        let mut builder = Builder::new(String::new());
        builder.options = options;
        builder.key = key.map(|key| key.0);
        builder.accepted = accepted_keys.into_iter().flatten().map(|key| key.0).collect();
        builder.mail_sender = mail_sender.map(|sender| sender.0);
        hooks.into_iter().for_each(|(name, hook)| builder.hooks.add(name, hook.0));
        Self::build(builder).await
    }

    /// Accounts: sign up, sign in, refresh, sign out.
    pub fn accounts(&self) -> Accounts {
        Accounts { inner: Arc::clone(&self.inner) }
    }

    /// The users of the installation, for its operator.
    pub fn users(&self) -> Users {
        Users { inner: Arc::clone(&self.inner) }
    }

    /// The workspaces of the installation, for its operator.
    pub fn workspaces(&self) -> AllWorkspaces {
        AllWorkspaces { inner: Arc::clone(&self.inner) }
    }

    /// The schema of the database.
    pub fn schema(&self) -> Schema {
        Schema { db: self.inner.db.clone() }
    }

    /// The providers that this installation can connect to.
    pub fn providers(&self) -> Vec<Provider> {
        self.inner.apps.list()
    }

    /// The providers that are part of Atom, configured here or not, by name: all, or those that have every word of a search in their names,
    /// categories, services or capabilities.
    pub async fn catalogue(&self, search: Option<String>) -> Result<Vec<CatalogueEntry>> {
        Ok(providers::catalogue(search.as_deref(), |name| self.inner.apps.has(name)))
    }

    /// The events that Atom itself emits, to show or to choose from. Those of the host are not among them.
    pub fn event_catalogue(&self) -> Vec<EventType> {
        events::catalogue()
    }

    /// The scope of the user that an access token speaks for. The token is believed until it expires, without asking the database: if its session is ended or
    /// the role changes meanwhile, this shows a quarter of an hour later at the latest.
    ///
    /// Fails with `unauthenticated` (`access_token_expired`: refresh the session; `invalid_access_token`: sign in).
    pub async fn authenticate(&self, access_token: Secret) -> Result<Scope> {
        let principal = self.accounts().authenticate(&access_token).await?;
        Ok(Scope { inner: Arc::clone(&self.inner), principal })
    }

    /// The same for what cannot wait: the database is asked whether the session stands at this moment and the user is active and a member, and for
    /// their role. What another process has ended is refused at once.
    ///
    /// Fails as `authenticate` does, and with `unauthenticated` (`session_revoked`, `session_expired`: sign in).
    pub async fn authenticate_live(&self, access_token: Secret) -> Result<Scope> {
        let principal = self.accounts().authenticate_live(&access_token).await?;
        Ok(Scope { inner: Arc::clone(&self.inner), principal })
    }

    /// The scope of a member who is not present, for work on their behalf. Who may ask for it is for the host to decide.
    ///
    /// Fails with `forbidden` (`not_a_member`).
    pub async fn act_as(&self, user_id: UserId, workspace_id: WorkspaceId) -> Result<Scope> {
        let principal = self.accounts().member(user_id, workspace_id).await?;
        Ok(Scope { inner: Arc::clone(&self.inner), principal })
    }

    /// The secret of a lease, for whoever holds its token: calls can be made with it, and nothing else.
    ///
    /// Fails with `unauthenticated` (`lease_unknown`) or `forbidden` (`lease_expired`, `lease_revoked`, `lease_used_up`).
    pub async fn use_lease(&self, token: Secret) -> Result<LeasedSecret> {
        LeasedSecret::open(Arc::clone(&self.inner), &token).await
    }

    /// The jobs of the installation itself, which belong to no workspace.
    pub fn jobs(&self) -> Jobs {
        Jobs { inner: Arc::clone(&self.inner), workspace: WorkspaceId(uuid::Uuid::nil()), user: None }
    }

    /// The schedules of the installation itself, which belong to no workspace.
    pub fn schedules(&self) -> Schedules {
        Schedules { inner: Arc::clone(&self.inner), workspace: WorkspaceId(uuid::Uuid::nil()), user: None }
    }

    /// The keys of the installation, and their rotation.
    pub fn keys(&self) -> Keys {
        Keys { inner: Arc::clone(&self.inner) }
    }

    /// The keys that sign access tokens: their rotation, and the public halves to publish.
    pub fn signing_keys(&self) -> SigningKeys {
        SigningKeys { inner: Arc::clone(&self.inner) }
    }

    /// The mail that the installation sends, for its operator.
    pub fn mail(&self) -> Mail {
        Mail { inner: Arc::clone(&self.inner) }
    }

    /// The queues and workers of the installation.
    pub fn queues(&self) -> Queues {
        Queues { inner: Arc::clone(&self.inner) }
    }

    /// Starts a worker in this process, with a handler for each kind of job that it is to run. It works until it is stopped.
    ///
    /// Fails with `invalid`: `unknown_job_kind`, `malformed_option`.
    pub async fn start_worker(&self, mut handlers: HashMap<String, Handler>, options: Option<WorkerOptions>) -> Result<Worker> {
        handlers.extend([webhooks::handler(Arc::clone(&self.inner)), keys::handler(Arc::clone(&self.inner))]);
        handlers.extend(connect::handlers(&self.inner));
        handlers.extend(mail::handler(&self.inner));
        let worker = jobs::start(Arc::clone(&self.inner), handlers, options.unwrap_or_default(), chores()).await?;
        let mut workers = self.inner.workers.lock().unwrap_or_else(PoisonError::into_inner);
        workers.retain(|worker| worker.working().is_some());
        workers.push(worker.downgrade());
        drop(workers);
        Ok(worker)
    }

    /// Stops the workers of this process, lets mails that are being sent end, stores what was counted, and closes the database connections. Later calls fail with `cancelled` (`closed`).
    pub async fn shut_down(&self) -> Result<()> {
        let workers = std::mem::take(&mut *self.inner.workers.lock().unwrap_or_else(PoisonError::into_inner));
        let workers: Vec<Worker> = workers.iter().filter_map(WeakWorker::working).collect();
        let stopped = futures_util::future::join_all(workers.iter().map(Worker::stop)).await;
        tokio::join!(self.inner.flights.land(LANDING), self.inner.mail.land(LANDING));
        let counted = [tally::close::<service_keys::Uses>(&self.inner).await, tally::close::<connect::Used>(&self.inner).await];
        self.inner.db()?.close().await;
        self.inner.token_cache.clear();
        self.inner.policy_cache.clear();
        self.inner.registered.clear();
        stopped.into_iter().chain(counted).collect()
    }
}

impl Atom {
    /// Opens an installation from Rust, with parts that only Rust can supply: key provider, clock.
    pub fn builder(database_url: impl Into<String>) -> Builder {
        Builder::new(database_url.into())
    }

    #[cfg(feature = "testing")]
    pub(crate) fn inner(&self) -> Arc<Inner> {
        Arc::clone(&self.inner)
    }

    /// Has workers and schedules look at the clock.
    #[cfg(feature = "testing")]
    pub(crate) fn wake_workers(&self) -> Result<()> {
        let db = self.inner.db()?;
        [Topic::Jobs, Topic::Schedules].into_iter().for_each(|topic| db.wake(topic));
        Ok(())
    }

    /// Fires and tells what is due now, and returns whether any of these kinds has a job to run.
    #[cfg(feature = "testing")]
    pub(crate) async fn has_work(&self, kinds: &[String]) -> Result<bool> {
        schedules::fire(&self.inner).await?;
        service_keys::tell(&self.inner).await?;
        emergency::expire(&self.inner).await?;
        jobs::has_work(&self.inner, kinds).await
    }

    pub(crate) async fn build(builder: Builder) -> Result<Self> {
        let Builder { mut options, key, accepted, clock, hooks, mail_sender, names } = builder;
        let passwords = PasswordSettings::new(&options)?;
        let keep_events_days = options.keep_events_days.unwrap_or(30);
        if !(1..=3650).contains(&keep_events_days) {
            return Err(Error::invalid("malformed_option", "keep_events_days is between 1 and 3650"));
        }
        let token_cache_seconds = options.token_cache_seconds.unwrap_or(1.0);
        if !(0.0..=60.0).contains(&token_cache_seconds) {
            return Err(Error::invalid("malformed_option", "token_cache_seconds is between 0 and 60"));
        }
        let signing_key_days = options.signing_key_days.unwrap_or(90);
        if !(0..=3650).contains(&signing_key_days) {
            return Err(Error::invalid("malformed_option", "signing_key_days is between 0 and 3650"));
        }
        let invitation_days = options.invitation_days.unwrap_or(7);
        if !(1..=90).contains(&invitation_days) {
            return Err(Error::invalid("malformed_option", "invitation_days is between 1 and 90"));
        }
        let longest = (signing_key_days > 0).then(|| TimeDelta::days(signing_key_days.into()));
        let sessions = SessionSettings::new(&options)?;
        let step_up = accounts::step_up_window(options.step_up_minutes)?;
        let social = SocialSettings::new(&options);
        let sign_in_providers = SignInProviders::new(options.sign_in_providers.take().unwrap_or_default())?;
        let email_proofs = EmailProofSettings::new(&options)?;
        let factors = FactorSettings::new(&options)?;
        // Everything that can be refused without the database comes first, and a key that may have to be made last.
        let http = HttpClient::new()?;
        let egress = Egress::new(options.loopback_webhooks.unwrap_or(false), names)?;
        let apps = Apps::new(options.providers.take().unwrap_or_default(), &hooks)?;
        let workspace_callback_url = options.workspace_callback_url.as_deref().map(check_callback_url).transpose()?;
        let mail = Outbox::new(&mut options, mail_sender)?;
        let own = [webhooks::kind(), keys::kind(), mail::kind()].into_iter().chain(connect::kinds());
        let kinds = Kinds::new(options.job_kinds.take().unwrap_or_default(), own.collect())?;
        let wrapping = keys::given(&options, key, accepted).await?;
        let clock = clock.unwrap_or_else(|| Arc::new(SystemClock));
        let now = clock.now();

        let db = Db::connect(&options.database_url).await?;
        if options.migrate.unwrap_or(true) {
            db.migrate().await?;
        } else if let Some(pending) = db.migration_status().await?.iter().find(|m| !m.applied) {
            let text =
                format!("the schema lacks migration {}: open with `migrate`, or call `Schema.migrate` first", pending.label);
            return Err(Error::invalid("schema_older", text));
        }
        db.sweep(now).await?;
        accounts::sweep(&db, now).await?;
        let keep_events = TimeDelta::days(keep_events_days.into());
        events::sweep(&db, now - keep_events).await?;
        mail::sweep(&db, now - mail.keep()).await?;
        let keys = KeyRing::open(&db, wrapping, Arc::clone(&clock), keys::worn).await?;
        let signing = SigningRing::open(&db, &keys, longest, now).await?;
        let inner = Inner {
            db: OwnDb::new(db),
            clock,
            keys,
            signing,
            issuer: options.issuer.unwrap_or_else(|| "atom".into()),
            hasher: Hasher::new()?,
            passwords,
            sessions,
            step_up,
            email_proofs,
            factors,
            sign_ins: Turns::default(),
            sign_in_providers,
            social,
            invitation_life: TimeDelta::days(invitation_days.into()),
            farewell: ending::run,
            holdings: HOLDINGS,
            http,
            egress,
            apps,
            workspace_callback_url,
            registered: RegisteredCache::new(Duration::from_secs_f64(token_cache_seconds)),
            known_manifests: KnownManifests::default(),
            hooks,
            budgets: Budgets::default(),
            flights: Flights::default(),
            token_cache: TokenCache::new(Duration::from_secs_f64(token_cache_seconds)),
            policy_cache: PolicyCache::new(Duration::from_secs_f64(token_cache_seconds)),
            denials: Denials::default(),
            exports: Exports::default(),
            keep_events,
            mail,
            kinds,
            workers: Mutex::default(),
            tails: events::Tails::default(),
            service_key_usage: Tally::default(),
            connection_usage: Tally::default(),
        };
        Ok(Self { inner: Arc::new(inner) })
    }
}

/// What is looked after wherever there is a worker.
fn chores() -> Vec<Chore> {
    let events = Chore {
        name: "retention of events",
        every: Duration::from_secs(60),
        topic: None,
        run: |inner| {
            Box::pin(async move {
                let before = inner.now() - inner.keep_events;
                while events::sweep(inner.db()?, before).await? {}
                Ok(None)
            })
        },
    };
    let mut chores = vec![
        accounts::CHORE,
        accounts::DEPARTURES,
        keys::CHORE,
        schedules::CHORE,
        service_keys::CHORE,
        leases::CHORE,
        events,
        connect::CHORE,
        connect::USAGE_CHORE,
        emergency::CHORE,
        mail::CHORE,
    ];
    chores.extend(webhooks::chores());
    chores
}
