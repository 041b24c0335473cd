//! The methods of the larger handles, by their names in the suite.

use super::{Args, Thing};
use atom_core::*;
use serde_json::json;
use std::collections::HashMap;

pub(super) async fn jobs_method(jobs: &Jobs, method: &str, mut args: Args) -> Result<Thing> {
    match method {
        "enqueue" => jobs.enqueue(args.next()).await.map(Thing::plain),
        "enqueue_many" => jobs.enqueue_many(args.next()).await.map(Thing::plain),
        "enqueue_batch" => jobs.enqueue_batch(args.next()).await.map(Thing::plain),
        "batch" => jobs.batch(args.next()).await.map(Thing::plain),
        "statement" => jobs.statement(args.next()).await.map(Thing::plain),
        "get" => jobs.get(args.next()).await.map(Thing::plain),
        "list" => jobs.list(args.next()).await.map(Thing::plain),
        "counts" => jobs.counts().await.map(Thing::plain),
        "wait" => jobs.wait(args.next(), args.next()).await.map(Thing::plain),
        "cancel" => jobs.cancel(args.next()).await.map(Thing::plain),
        "replay" => jobs.replay(args.next()).await.map(Thing::plain),
        "replay_all" => jobs.replay_all(args.next()).await.map(Thing::plain),
        "settle" => jobs.settle(args.next(), args.next(), args.next()).await.map(Thing::plain),
        _ => panic!("jobs have no method `{method}`"),
    }
}

pub(super) async fn keys_method(keys: &Keys, method: &str, mut args: Args) -> Result<Thing> {
    match method {
        "status" => keys.status().await.map(Thing::plain),
        "rotate" => keys.rotate(args.next()).await.map(Thing::plain),
        "rotate_workspace" => keys.rotate_workspace(args.next()).await.map(Thing::plain),
        "reseal" => keys.reseal(args.next(), args.next()).await.map(Thing::plain),
        "data_keys" => keys.data_keys(args.next()).await.map(Thing::plain),
        "audit" => keys.audit(args.next()).await.map(Thing::plain),
        "events" => keys.events(args.next()).await.map(Thing::plain),
        _ => panic!("keys have no method `{method}`"),
    }
}

pub(super) async fn mail_method(mail: &Mail, method: &str, mut args: Args) -> Result<Thing> {
    match method {
        "list" => mail.list(args.next()).await.map(Thing::plain),
        "get" => mail.get(args.next()).await.map(Thing::plain),
        "report" => mail.report(args.next()).await.map(Thing::plain),
        "preview" => mail.preview(args.next(), args.next()).await.map(Thing::plain),
        "send_test" => mail.send_test(args.next(), args.next(), args.next()).await.map(Thing::plain),
        _ => panic!("mail has no method `{method}`"),
    }
}

pub(super) async fn schedules_method(schedules: &Schedules, method: &str, mut args: Args) -> Result<Thing> {
    match method {
        "put" => schedules.put(args.next()).await.map(Thing::plain),
        "get" => schedules.get(args.next()).await.map(Thing::plain),
        "list" => schedules.list().await.map(Thing::plain),
        "remove" => schedules.remove(args.next()).await.map(Thing::plain),
        "pause" => schedules.pause(args.next()).await.map(Thing::plain),
        "resume" => schedules.resume(args.next()).await.map(Thing::plain),
        "trigger" => schedules.trigger(args.next()).await.map(Thing::plain),
        "preview" => schedules.preview(args.next(), args.next()).await.map(Thing::plain),
        _ => panic!("schedules have no method `{method}`"),
    }
}

pub(super) async fn webhooks_method(webhooks: &Webhooks, method: &str, mut args: Args) -> Result<Thing> {
    let text = |secret: Result<Secret>| secret.map(|secret| Thing::plain(secret.expose()));
    match method {
        "create" => webhooks.create(args.webhook()).await.map(Thing::plain),
        "update" => webhooks.update(args.next(), args.next()).await.map(Thing::plain),
        "get" => webhooks.get(args.next()).await.map(Thing::plain),
        "list" => webhooks.list().await.map(Thing::plain),
        "enable" => webhooks.enable(args.next()).await.map(Thing::plain),
        "disable" => webhooks.disable(args.next()).await.map(Thing::plain),
        "remove" => webhooks.remove(args.next()).await.map(Thing::plain),
        "verification_key" => text(webhooks.verification_key(args.next()).await),
        "rotate_key" => text(webhooks.rotate_key(args.next(), args.next(), Some(args.secret())).await),
        "deliveries" => webhooks.deliveries(args.next()).await.map(Thing::plain),
        "replay" => webhooks.replay(args.next(), args.next()).await.map(Thing::plain),
        _ => panic!("webhooks have no method `{method}`"),
    }
}

pub(super) async fn emergency_method(emergency: &EmergencyAccess, method: &str, mut args: Args) -> Result<Thing> {
    match method {
        "request" => emergency.request(args.next()).await.map(Thing::plain),
        "list" => emergency.list(args.next()).await.map(Thing::plain),
        "get" => emergency.get(args.next()).await.map(Thing::plain),
        "approve" => emergency.approve(args.next()).await.map(Thing::plain),
        "approve_offline" => emergency.approve_offline(args.next(), args.next()).await.map(Thing::plain),
        "deny" => emergency.deny(args.next()).await.map(Thing::plain),
        "cancel" => emergency.cancel(args.next()).await.map(Thing::plain),
        "reveal" => emergency.reveal(args.next()).await.map(|secret| {
            let fields: HashMap<_, _> = secret.fields.iter().map(|(name, value)| (name, value.expose())).collect();
            let value = secret.value.as_ref().map(Secret::expose);
            Thing::plain(json!({ "kind": secret.kind, "value": value, "fields": fields, "expires_at": secret.expires_at }))
        }),
        "offline_key" => emergency.offline_key().await.map(Thing::plain),
        "set_offline_key" => emergency.set_offline_key(args.next()).await.map(Thing::plain),
        "remove_offline_key" => emergency.remove_offline_key().await.map(Thing::plain),
        _ => panic!("emergency access has no method `{method}`"),
    }
}

pub(super) async fn service_keys_method(keys: &ServiceKeys, method: &str, mut args: Args) -> Result<Thing> {
    match method {
        "create" => keys.create(args.service_key()).await.map(Thing::plain),
        "list" => keys.list(args.next()).await.map(Thing::plain),
        "get" => keys.get(args.next()).await.map(Thing::plain),
        "update" => keys.update(args.next(), args.next()).await.map(Thing::plain),
        "rotate" => keys.rotate(args.next(), args.rotation()).await.map(Thing::plain),
        "reveal" => keys.reveal(args.next()).await.map(|revealed| {
            let previous = revealed.previous.as_ref().map(Secret::expose);
            Thing::plain(json!({ "value": revealed.value.expose(), "previous": previous, "expires_at": revealed.expires_at }))
        }),
        "request" => keys.request(args.next(), args.next()).await.map(Thing::plain),
        "remove" => keys.remove(args.next()).await.map(Thing::plain),
        _ => panic!("service keys have no method `{method}`"),
    }
}

pub(super) async fn secret_policies_method(policies: &SecretPolicies, method: &str, mut args: Args) -> Result<Thing> {
    match method {
        "put" => policies.put(args.next()).await.map(Thing::plain),
        "list" => policies.list().await.map(Thing::plain),
        "get" => policies.get(args.next()).await.map(Thing::plain),
        "remove" => policies.remove(args.next()).await.map(Thing::plain),
        "explain" => policies.explain(args.next()).await.map(Thing::plain),
        _ => panic!("secret policies have no method `{method}`"),
    }
}

pub(super) async fn secret_leases_method(leases: &SecretLeases, method: &str, mut args: Args) -> Result<Thing> {
    match method {
        "create" => {
            let granted = leases.create(args.next()).await?;
            Ok(Thing::plain(json!({ "token": granted.token.expose(), "lease": granted.lease })))
        }
        "list" => leases.list(args.next()).await.map(Thing::plain),
        "get" => leases.get(args.next()).await.map(Thing::plain),
        "renew" => leases.renew(args.next(), args.next()).await.map(Thing::plain),
        "revoke" => leases.revoke(args.next()).await.map(Thing::plain),
        _ => panic!("secret leases have no method `{method}`"),
    }
}

pub(super) async fn workspace_providers_method(providers: &WorkspaceProviders, method: &str, mut args: Args) -> Result<Thing> {
    match method {
        "check" => providers.check(args.next()).await.map(Thing::plain),
        "register" => providers.register(args.workspace_provider()).await.map(Thing::plain),
        "list" => providers.list(args.next()).await.map(Thing::plain),
        "get" => providers.get(args.next()).await.map(Thing::plain),
        "update" => providers.update(args.next(), args.workspace_provider_patch()).await.map(Thing::plain),
        "remove" => providers.remove(args.next(), args.next()).await.map(Thing::plain),
        _ => panic!("a workspace's providers have no method `{method}`"),
    }
}
