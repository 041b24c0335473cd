//! The Rust runner of the behaviour suite: see testdata/behaviour/README.md.

mod accounts;
mod args;
mod methods;
mod remote;

use crate::support::*;
use accounts::*;
use args::{Args, field};
use atom_core::testing::{GoogleStandIn, Probe};
use atom_core::*;
use methods::*;
use serde::Serialize;
use serde_json::{Map, Value, json};
use std::collections::HashMap;

/// Something that a path can lead to.
#[derive(Clone)]
enum Thing {
    Value(Value),
    Atom(Atom),
    Accounts(Accounts),
    Schema(Schema),
    Audit(AuditTrail),
    Events(Events),
    EventStream(EventStream),
    Scope(Scope),
    EmergencyAccess(EmergencyAccess),
    Jobs(Jobs),
    Keys(Keys),
    SigningKeys(SigningKeys),
    Sessions(Sessions),
    Workspaces(Workspaces),
    AllWorkspaces(AllWorkspaces),
    Members(Members),
    Invitations(Invitations),
    StepUp(StepUp),
    Password(Password),
    Users(Users),
    Profile(Profile),
    Email(EmailAddress),
    Factors(Factors),
    Identities(Identities),
    OwnMail(atom_core::Mail),
    Queues(Queues),
    Schedules(Schedules),
    ServiceKeys(ServiceKeys),
    SecretPolicies(SecretPolicies),
    SecretLeases(SecretLeases),
    LeasedSecret(LeasedSecret),
    Webhooks(Webhooks),
    WorkspaceProviders(WorkspaceProviders),
    Connections(Connections),
    Connection(Connection),
    Files(Files),
    Upload(FileUpload),
    Mail(Mailbox),
    Calendar(Calendars),
    Records(RecordStream),
    Pieces(ByteStream),
    Tasks(RemoteTasks),
    Chat(Chat),
    Crm(Crm),
    Payments(Payments),
    Code(Code),
    Commerce(Commerce),
    Documents(Documents),
    Meetings(Meetings),
    Accounting(Accounting),
    Support(Support),
    Social(Social),
    Design(Design),
    Automation(Automation),
    Push(Push),
    Google(GoogleStandIn),
    Probe(Probe),
}

impl Thing {
    fn plain(value: impl Serialize) -> Self {
        Self::Value(serde_json::to_value(value).unwrap())
    }

    fn property(&self, name: &str) -> Self {
        match (self, name) {
            (Self::Value(value), _) => Self::Value(value.get(name).cloned().unwrap_or_default()),
            (Self::Atom(atom), "accounts") => Self::Accounts(atom.accounts()),
            (Self::Atom(atom), "workspaces") => Self::AllWorkspaces(atom.workspaces()),
            (Self::Scope(scope), "workspaces") => Self::Workspaces(scope.workspaces()),
            (Self::Scope(scope), "members") => Self::Members(scope.members()),
            (Self::Scope(scope), "invitations") => Self::Invitations(scope.invitations()),
            (Self::Atom(atom), "schema") => Self::Schema(atom.schema()),
            (Self::Atom(atom), "providers") => Self::plain(atom.providers()),
            (Self::Atom(atom), "event_catalogue") => Self::plain(atom.event_catalogue()),
            (Self::Scope(scope), "principal") => Self::plain(scope.principal()),
            (Self::Scope(scope), "audit") => Self::Audit(scope.audit()),
            (Self::Atom(atom), "jobs") => Self::Jobs(atom.jobs()),
            (Self::Atom(atom), "keys") => Self::Keys(atom.keys()),
            (Self::Atom(atom), "signing_keys") => Self::SigningKeys(atom.signing_keys()),
            (Self::Scope(scope), "sessions") => Self::Sessions(scope.sessions()),
            (Self::Scope(scope), "password") => Self::Password(scope.password()),
            (Self::Atom(atom), "users") => Self::Users(atom.users()),
            (Self::Scope(scope), "profile") => Self::Profile(scope.profile()),
            (Self::Scope(scope), "step_up") => Self::StepUp(scope.step_up()),
            (Self::Scope(scope), "email") => Self::Email(scope.email()),
            (Self::Scope(scope), "factors") => Self::Factors(scope.factors()),
            (Self::Scope(scope), "identities") => Self::Identities(scope.identities()),
            (Self::Atom(atom), "mail") => Self::OwnMail(atom.mail()),
            (Self::Atom(atom), "queues") => Self::Queues(atom.queues()),
            (Self::Atom(atom), "schedules") => Self::Schedules(atom.schedules()),
            (Self::Scope(scope), "jobs") => Self::Jobs(scope.jobs()),
            (Self::Scope(scope), "schedules") => Self::Schedules(scope.schedules()),
            (Self::Scope(scope), "service_keys") => Self::ServiceKeys(scope.service_keys()),
            (Self::Scope(scope), "emergency_access") => Self::EmergencyAccess(scope.emergency_access()),
            (Self::Scope(scope), "secret_policies") => Self::SecretPolicies(scope.secret_policies()),
            (Self::Scope(scope), "secret_leases") => Self::SecretLeases(scope.secret_leases()),
            (Self::Scope(scope), "providers") => Self::WorkspaceProviders(scope.providers()),
            (Self::Scope(scope), "webhooks") => Self::Webhooks(scope.webhooks()),
            (Self::Scope(scope), "events") => Self::Events(scope.events()),
            (Self::EventStream(stream), "cursor") => Self::plain(stream.cursor()),
            (Self::Scope(scope), "connections") => Self::Connections(scope.connections()),
            (Self::Connection(connection), "id") => Self::plain(connection.id()),
            (Self::Connection(connection), "files") => Self::Files(connection.files()),
            (Self::Connection(connection), "mail") => Self::Mail(connection.mail()),
            (Self::Connection(connection), "calendar") => Self::Calendar(connection.calendar()),
            (Self::Connection(connection), "tasks") => Self::Tasks(connection.tasks()),
            (Self::Connection(connection), "chat") => Self::Chat(connection.chat()),
            (Self::Connection(connection), "crm") => Self::Crm(connection.crm()),
            (Self::Connection(connection), "payments") => Self::Payments(connection.payments()),
            (Self::Connection(connection), "code") => Self::Code(connection.code()),
            (Self::Connection(connection), "commerce") => Self::Commerce(connection.commerce()),
            (Self::Connection(connection), "documents") => Self::Documents(connection.documents()),
            (Self::Connection(connection), "meetings") => Self::Meetings(connection.meetings()),
            (Self::Connection(connection), "accounting") => Self::Accounting(connection.accounting()),
            (Self::Connection(connection), "support") => Self::Support(connection.support()),
            (Self::Connection(connection), "social") => Self::Social(connection.social()),
            (Self::Connection(connection), "design") => Self::Design(connection.design()),
            (Self::Connection(connection), "automation") => Self::Automation(connection.automation()),
            (Self::Connection(connection), "push") => Self::Push(connection.push()),
            (Self::Google(google), "url") => Self::plain(google.url()),
            (Self::Google(google), "service_account") => Self::plain(google.service_account().expose()),
            (Self::Probe(probe), "is_started") => Self::plain(probe.is_started()),
            _ => panic!("there is no property `{name}` here"),
        }
    }

    async fn call(&self, method: &str, mut args: Args) -> Result<Self> {
        let plain = |value: Result<Value>| value.map(Self::Value);
        match (self, method) {
            (Self::Atom(atom), "authenticate") => atom.authenticate(args.secret()).await.map(Self::Scope),
            (Self::Atom(atom), "authenticate_live") => atom.authenticate_live(args.secret()).await.map(Self::Scope),
            (Self::Atom(atom), "act_as") => atom.act_as(args.next(), args.next()).await.map(Self::Scope),
            (Self::Atom(atom), "use_lease") => atom.use_lease(args.secret()).await.map(Self::LeasedSecret),
            (Self::Scope(scope), "for_purpose") => scope.for_purpose(args.next()).await.map(Self::Scope),
            (Self::Atom(atom), "catalogue") => atom.catalogue(args.next()).await.map(Self::plain),
            (Self::Schema(schema), "migrations") => schema.migrations().await.map(Self::plain),
            (Self::Schema(schema), "migrate") => schema.migrate().await.map(Self::plain),
            (Self::Atom(atom), "shut_down") => atom.shut_down().await.map(Self::plain),
            (Self::Accounts(accounts), method) => accounts_method(accounts, method, args).await,
            (Self::Workspaces(workspaces), method) => workspaces_method(workspaces, method, args).await,
            (Self::AllWorkspaces(workspaces), method) => all_workspaces_method(workspaces, method, args).await,
            (Self::Members(members), method) => members_method(members, method, args).await,
            (Self::Invitations(invitations), method) => invitations_method(invitations, method, args).await,
            (Self::Audit(audit), "list") => audit.list(args.next()).await.map(Self::plain),
            (Self::Audit(audit), "checkpoint") => audit.checkpoint().await.map(Self::plain),
            (Self::Audit(audit), "verify") => audit.verify(args.next()).await.map(Self::plain),
            (Self::Jobs(jobs), method) => jobs_method(jobs, method, args).await,
            (Self::SigningKeys(keys), "list") => keys.list().await.map(Self::plain),
            (Self::SigningKeys(keys), "rotate") => keys.rotate(args.next()).await.map(Self::plain),
            (Self::SigningKeys(keys), "retire") => keys.retire(args.next()).await.map(Self::plain),
            (Self::SigningKeys(keys), "jwks") => keys.jwks().await.map(Self::plain),
            (Self::Password(password), method) => password_method(password, method, args).await,
            (Self::Users(users), method) => users_method(users, method, args).await,
            (Self::Profile(profile), method) => profile_method(profile, method, args).await,
            (Self::StepUp(step_up), method) => step_up_method(step_up, method, args).await,
            (Self::Email(email), method) => email_method(email, method, args).await,
            (Self::Factors(factors), method) => factors_method(factors, method, args).await,
            (Self::Identities(identities), method) => identities_method(identities, method, args).await,
            (Self::Sessions(sessions), method) => sessions_method(sessions, method, args).await,
            (Self::Keys(keys), method) => keys_method(keys, method, args).await,
            (Self::OwnMail(mail), method) => mail_method(mail, method, args).await,
            (Self::Schedules(schedules), method) => schedules_method(schedules, method, args).await,
            (Self::ServiceKeys(keys), method) => service_keys_method(keys, method, args).await,
            (Self::EmergencyAccess(emergency), method) => emergency_method(emergency, method, args).await,
            (Self::SecretPolicies(policies), method) => secret_policies_method(policies, method, args).await,
            (Self::SecretLeases(leases), method) => secret_leases_method(leases, method, args).await,
            (Self::LeasedSecret(secret), "lease") => secret.lease().await.map(Self::plain),
            (Self::LeasedSecret(secret), "request") => secret.request(args.next()).await.map(Self::plain),
            (Self::WorkspaceProviders(providers), method) => workspace_providers_method(providers, method, args).await,
            (Self::Webhooks(webhooks), method) => webhooks_method(webhooks, method, args).await,
            (Self::Queues(queues), "list") => queues.list().await.map(Self::plain),
            (Self::Queues(queues), "workers") => queues.workers().await.map(Self::plain),
            (Self::Queues(queues), "pause") => queues.pause(args.next()).await.map(Self::plain),
            (Self::Queues(queues), "resume") => queues.resume(args.next()).await.map(Self::plain),
            (Self::Events(events), "publish") => events.publish(args.next()).await.map(Self::plain),
            (Self::Events(events), "list") => events.list(args.next()).await.map(Self::plain),
            (Self::Events(events), "head") => events.head().await.map(Self::plain),
            (Self::Events(events), "subscribe") => events.subscribe(args.next()).await.map(Self::EventStream),
            (Self::EventStream(stream), "next") => stream.next().await.map(Self::plain),
            (Self::EventStream(stream), "stop") => stream.stop().await.map(Self::plain),
            (Self::Connections(connections), "start") => connections.start(args.next()).await.map(Self::plain),
            (Self::Connections(connections), "complete") => connections.complete(args.next()).await.map(Self::Connection),
            (Self::Connections(connections), "status") => connections.status().await.map(Self::plain),
            (Self::Connections(connections), "usage") => connections.usage(args.next()).await.map(Self::plain),
            (Self::Connections(connections), "workspace_usage") => {
                connections.workspace_usage(args.next()).await.map(Self::plain)
            }
            (Self::Connections(connections), "revoke_all") => connections.revoke_all(args.next()).await.map(Self::plain),
            (Self::Connections(connections), "connect") => connections.connect(args.connect_with()).await.map(Self::Connection),
            (Self::Connections(connections), "complete_link") => {
                connections.complete_link(args.next(), args.secret()).await.map(Self::Connection)
            }
            (Self::Connections(connections), "start_device") => connections.start_device(args.next()).await.map(Self::plain),
            (Self::Connections(connections), "poll_device") => connections.poll_device(args.next()).await.map(Self::plain),
            (Self::Connections(connections), "list") => connections.list().await.map(Self::plain),
            (Self::Connections(connections), "open") => connections.open(args.next()).await.map(Self::Connection),
            (Self::Connection(connection), "call") => connection.call(args.next(), args.next()).await.map(Self::plain),
            (Self::Connection(connection), "records") => connection.records(args.next(), args.next()).await.map(Self::Records),
            (Self::Connection(connection), "download") => connection.download(args.next(), args.next()).await.map(Self::Pieces),
            (Self::Records(records), "next") => records.next().await.map(Self::plain),
            (Self::Pieces(pieces), "next") => pieces.next().await.map(Self::plain),
            (Self::Connection(connection), "account") => connection.account().await.map(Self::plain),
            (Self::Connection(connection), "access_token") => plain(connection.access_token().await.map(|token| bearer(&token))),
            (Self::Connection(connection), "access_token_of") => {
                plain(connection.access_token_of(args.next()).await.map(|token| bearer(&token)))
            }
            (Self::Connection(connection), "request") => connection.request(args.next()).await.map(Self::plain),
            (Self::Connection(connection), "usage") => connection.usage(args.next()).await.map(Self::plain),
            (Self::Connection(connection), "reconnect") => connection.reconnect().await.map(Self::plain),
            (Self::Connection(connection), "revoke") => connection.revoke().await.map(Self::plain),
            (Self::Files(files), method) => remote::files(files, method, args).await,
            (Self::Upload(upload), method) => remote::upload(upload, method, args).await,
            (Self::Mail(mail), method) => remote::mail(mail, method, args).await,
            (Self::Calendar(calendar), method) => remote::calendar(calendar, method, args).await,
            (Self::Tasks(tasks), method) => remote::tasks(tasks, method, args).await,
            (Self::Chat(chat), method) => remote::chat(chat, method, args).await,
            (Self::Crm(crm), method) => remote::crm(crm, method, args).await,
            (Self::Payments(payments), method) => remote::payments(payments, method, args).await,
            (Self::Code(code), method) => remote::code(code, method, args).await,
            (Self::Commerce(commerce), method) => remote::commerce(commerce, method, args).await,
            (Self::Documents(documents), method) => remote::documents(documents, method, args).await,
            (Self::Meetings(meetings), method) => remote::meetings(meetings, method, args).await,
            (Self::Accounting(accounting), method) => remote::accounting(accounting, method, args).await,
            (Self::Support(support), method) => remote::support(support, method, args).await,
            (Self::Social(social), method) => remote::social(social, method, args).await,
            (Self::Design(design), method) => remote::design(design, method, args).await,
            (Self::Automation(automation), method) => remote::automation(automation, method, args).await,
            (Self::Push(push), method) => remote::push(push, method, args).await,
            (Self::Google(google), "approve") => google.approve(args.next(), args.next()).await.map(Self::plain),
            (Self::Google(google), "decline") => google.decline(args.next()).await.map(Self::plain),
            (Self::Google(google), "lose_next") => google.lose_next(args.next(), args.next()).await.map(Self::plain),
            (Self::Google(google), "approve_device") => google.approve_device(args.next(), args.next()).await.map(Self::plain),
            (Self::Google(google), "decline_device") => google.decline_device(args.next()).await.map(Self::plain),
            (Self::Google(google), "hits") => google.hits(args.next()).await.map(Self::plain),
            (Self::Google(google), "expire_access_tokens") => google.expire_access_tokens().await.map(Self::plain),
            (Self::Google(google), "revoke_grants") => google.revoke_grants().await.map(Self::plain),
            (Self::Probe(probe), "echo") => probe.echo(args.next()).await.map(Self::plain),
            (Self::Probe(probe), "echo_optional") => probe.echo_optional(args.next()).await.map(Self::plain),
            (Self::Probe(probe), "echo_secret") => plain(probe.echo_secret(args.secret()).await.map(|s| s.expose().into())),
            (Self::Probe(probe), "totp_code") => {
                plain(probe.totp_code(args.secret(), args.next()).await.map(|code| code.expose().into()))
            }
            (Self::Probe(probe), "create_passkey") => probe.create_passkey(args.next()).await.map(Self::plain),
            (Self::Probe(probe), "use_passkey") => probe.use_passkey(args.next()).await.map(Self::plain),
            (Self::Probe(probe), "open_record") => probe.open_record(args.next()).await.map(Self::plain),
            (Self::Probe(probe), "fail") => probe.fail(args.next()).await.map(Self::plain),
            _ => panic!("there is no method `{method}` here"),
        }
    }
}

fn bearer(token: &AccessToken) -> Value {
    json!({"token": token.token.expose(), "expires_at": token.expires_at, "scopes": token.scopes})
}

/// One scenario under way.
struct Play {
    name: String,
    names: HashMap<String, Thing>,
    unique: String,
}

impl Play {
    fn at(&self, path: &str) -> Thing {
        let mut parts = path.split('.');
        let root = parts.next().unwrap();
        let root = self.names.get(root).unwrap_or_else(|| panic!("nothing was saved as `{root}`")).clone();
        parts.fold(root, |thing, part| thing.property(part))
    }

    /// What is written, as plain JSON.
    fn resolve(&self, written: &Value) -> Value {
        match written {
            Value::String(text) => match text.strip_prefix('$').filter(|path| is_path(path)) {
                Some(path) => match self.at(path) {
                    Thing::Value(value) => value,
                    _ => panic!("`{text}` is a handle, not a value"),
                },
                None => text.replace("$unique", &self.unique).into(),
            },
            Value::Array(items) => items.iter().map(|item| self.resolve(item)).collect(),
            Value::Object(members) => {
                if let Some(plain) = members.get("$json") {
                    return plain.clone();
                }
                if let Some(text) = members.get("$date").or_else(|| members.get("$bytes")) {
                    return text.clone();
                }
                let variant = members.get("$variant");
                if let (Some(variant), 2) = (variant, members.len()) {
                    return variant.clone();
                }
                let fields = members.iter().filter(|(name, _)| !name.starts_with('$') || *name == "$any");
                let mut fields: Map<String, Value> = fields.map(|(name, value)| (name.clone(), self.resolve(value))).collect();
                fields.extend(variant.map(|v| ("type".to_owned(), v.clone())));
                Value::Object(fields)
            }
            other => other.clone(),
        }
    }

    async fn step(&mut self, step: &Value) {
        let path = step.get("call").or_else(|| step.get("get")).and_then(Value::as_str).unwrap();
        let shown = format!("{}: {path}", self.name);
        let result = if step.get("call").is_some() {
            let (target, method) = path.rsplit_once('.').unwrap();
            let args: Vec<_> = step["args"].as_array().unwrap().iter().map(|arg| self.resolve(arg)).collect();
            self.at(target).call(method, Args(args.into_iter())).await
        } else {
            Ok(self.at(path))
        };
        match (result, step.get("fails")) {
            (Ok(thing), None) => {
                if let (Some(expected), Thing::Value(actual)) = (step.get("expect"), &thing) {
                    fits(&self.resolve(expected), actual, &shown);
                }
                if let Some(name) = step.get("save").and_then(Value::as_str) {
                    self.names.insert(name.to_owned(), thing);
                }
            }
            (Err(error), Some(expected)) => {
                let actual = json!({"code": error.code(), "reason": error.reason(), "provider": error.provider(), "status": error.status()});
                fits(expected, &actual, &shown);
            }
            (Ok(_), Some(expected)) => panic!("{shown} should fail with {expected}"),
            (Err(error), None) => panic!("{shown} failed: {error:?}"),
        }
    }
}

fn is_path(text: &str) -> bool {
    text != "unique" && !text.is_empty() && text.chars().all(|c| c.is_alphanumeric() || c == '_' || c == '.')
}

fn fits(expected: &Value, actual: &Value, path: &str) {
    match (expected, actual) {
        (Value::Object(members), _) if members.contains_key("$any") => assert!(!actual.is_null(), "{path} is null"),
        (Value::Object(members), Value::Object(_)) => {
            for (name, value) in members {
                fits(value, actual.get(name).unwrap_or(&Value::Null), &format!("{path}.{name}"));
            }
        }
        (Value::Array(items), Value::Array(found)) => {
            assert_eq!(items.len(), found.len(), "{path}: {actual}");
            for (i, (item, found)) in items.iter().zip(found).enumerate() {
                fits(item, found, &format!("{path}[{i}]"));
            }
        }
        _ => assert_eq!(expected, actual, "{path}"),
    }
}

on_both!(every_scenario_of_the_suite, |database| async move {
    let folder = concat!(env!("CARGO_MANIFEST_DIR"), "/testdata/behaviour");
    let mut files: Vec<_> = std::fs::read_dir(folder).unwrap().map(|entry| entry.unwrap().path()).collect();
    files.retain(|path| path.extension().is_some_and(|e| e == "json"));
    files.sort();
    assert!(!files.is_empty());
    for file in files {
        let scenarios: Vec<Value> = serde_json::from_str(&std::fs::read_to_string(&file).unwrap()).unwrap();
        for scenario in scenarios {
            let google = GoogleStandIn::start().await.unwrap();
            let greet = JobKind {
                name: "greet".into(),
                queue: Some("behaviour".into()),
                priority: Some(2),
                max_attempts: Some(3),
                ..Default::default()
            };
            let builder = database.builder().provider(google.app()).sign_in_provider(google.sign_in_provider()).job_kind(greet);
            let builder = builder.passkey_rp_id("acme.example").passkey_origins(["https://acme.example"]);
            let atom = builder.open().await.unwrap();
            let names = HashMap::from([
                ("atom".to_owned(), Thing::Atom(atom)),
                ("google".to_owned(), Thing::Google(google)),
                ("probe".to_owned(), Thing::Probe(Probe::start().await.unwrap())),
            ]);
            let name = scenario["name"].as_str().unwrap().to_owned();
            let mut play = Play { name, names, unique: uuid::Uuid::new_v4().simple().to_string()[..8].to_owned() };
            for step in scenario["steps"].as_array().unwrap() {
                play.step(step).await;
            }
        }
    }
});
