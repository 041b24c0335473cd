//! What becomes of a use that is refused: an error for who tried, an audit entry and an event for who watches.

use super::decide::{Target, Use};
use crate::accounts::Principal;
use crate::atom::Inner;
use crate::audit::{self, AuditAction, Entry};
use crate::events::{self, SecretDenied};
use crate::{Error, ErrorKind, Result};
use std::collections::HashMap;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::{Duration, Instant};
use uuid::Uuid;

/// How often a refusal of the same principal and secret is noted, at most, in this process: a loop that is refused must not fill the log.
const RHYTHM: Duration = Duration::from_secs(1);
/// How many are remembered. Who is forgotten is only noted once more.
const MOST: usize = 10_000;

/// When refusals were noted last.
#[derive(Default)]
pub(crate) struct Denials(Mutex<HashMap<Who, Instant>>);

/// Whose refusal: a principal, and the secret.
type Who = (String, Uuid);

impl Denials {
    /// Whether a refusal is to be noted now, which is then the caller's to do.
    fn claim(&self, who: &Who) -> bool {
        let (mut noted, now) = (self.noted(), Instant::now());
        if noted.get(who).is_some_and(|last| now.saturating_duration_since(*last) < RHYTHM) {
            return false;
        }
        if noted.len() >= MOST {
            noted.clear();
        }
        noted.insert(who.clone(), now);
        true
    }

    fn give_back(&self, who: &Who) {
        self.noted().remove(who);
    }

    fn noted(&self) -> MutexGuard<'_, HashMap<Who, Instant>> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// A refusal, to be noted.
struct Denial {
    principal: Principal,
    secret_id: Uuid,
    provider: Option<String>,
    service: Option<String>,
    action: &'static str,
    policy: Option<String>,
}

/// Notes a refusal, and returns it.
pub(super) async fn refuse(inner: &Arc<Inner>, principal: &Principal, used: &Use<'_>, policy: Option<&str>) -> Result<Error> {
    let (name, secret_id) = match used.target {
        Target::Connection { provider, id } => (provider, id.map(|id| id.0)),
        Target::ServiceKey { service, id } => (service, id.map(|id| id.0)),
    };
    let is_connection = matches!(used.target, Target::Connection { .. });
    let denial = Denial {
        principal: principal.clone(),
        secret_id: secret_id.unwrap_or_default(),
        provider: is_connection.then(|| name.to_owned()),
        service: (!is_connection).then(|| name.to_owned()),
        action: used.action.as_str(),
        policy: policy.map(str::to_owned),
    };
    let who = (format!("{principal:?}"), denial.secret_id);
    if inner.denials.claim(&who) {
        // Whoever goes away now leaves a trace too.
        let noting = {
            let inner = Arc::clone(inner);
            tokio::spawn(async move {
                let noted = note(&inner, &denial).await;
                if noted.is_err() {
                    inner.denials.give_back(&who);
                }
                noted
            })
        };
        let lost = |e| Error::internal("denial_lost", "a refused use of a secret was not written to the log").with_source(e);
        noting.await.map_err(lost)??;
    }
    Ok(error(policy).with_provider(name))
}

fn error(policy: Option<&str>) -> Error {
    let text = match policy {
        Some(name) => format!("the policy `{name}` of the workspace denies this use of the secret: ask its owners or admins"),
        None => "no policy of the workspace allows this use of the secret, and there are some that allow others: ask its owners or admins".into(),
    };
    Error::new(ErrorKind::Forbidden, "secret_policy_denied", text)
}

async fn note(inner: &Inner, denial: &Denial) -> Result<()> {
    let Denial { principal, secret_id, provider, service, action, policy } = denial;
    let (workspace, now) = (principal.workspace_id, inner.now());
    let named = [("provider", provider), ("service", service), ("policy", policy)];
    let mut details = vec![("action", *action)];
    details.extend(named.into_iter().filter_map(|(name, value)| Some((name, value.as_deref()?))));
    details.extend(principal.purpose_details());
    let entry = Entry {
        workspace,
        actor: principal.actor(),
        action: AuditAction::SecretUseDenied,
        subject: Some(secret_id.to_string()),
        details: &details,
    };
    let purpose = principal.purpose.clone();
    let denied = SecretDenied {
        secret_id: secret_id.to_string(),
        user_id: principal.user_id,
        provider: provider.clone(),
        service: service.clone(),
        action: (*action).to_owned(),
        tool: purpose.as_ref().and_then(|purpose| purpose.tool.clone()),
        purpose: purpose.map(|purpose| purpose.purpose),
        policy: policy.clone(),
    };
    let mut tx = inner.db()?.begin().await?;
    audit::append(&mut tx, entry, now).await?;
    events::append(&mut tx, workspace, denied, now).await?;
    tx.commit().await
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn of_a_loop_of_refusals_one_in_a_second_is_noted() {
        let (denials, one, other) = (Denials::default(), Uuid::now_v7(), Uuid::now_v7());
        let of = |id| ("ada".to_owned(), id);
        assert!(denials.claim(&of(one)));
        assert!((0..1000).all(|_| !denials.claim(&of(one))));
        assert!(denials.claim(&of(other)) && denials.claim(&("bob".to_owned(), one)));
        denials.give_back(&of(one));
        assert!(denials.claim(&of(one)), "what could not be noted is noted the next time");
    }

    #[test]
    fn what_is_remembered_is_bounded() {
        let denials = Denials::default();
        for _ in 0..=MOST {
            assert!(denials.claim(&("ada".to_owned(), Uuid::now_v7())));
        }
        assert!(denials.noted().len() <= MOST);
    }
}
