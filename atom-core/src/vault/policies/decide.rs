//! The rule: who may use a secret, according to the policies.
//!
//! A deny that fits wins. Otherwise, where there is at least one allow policy for this target and action, one must fit; where there is none,
//! what holds without policies.

use super::{SecretAction, SecretDecision, SecretDecisionReason, SecretEffect, SecretPolicy, SecretTarget};
use crate::accounts::Principal;
use crate::{ConnectionId, ServiceKeyId};

/// The secret that is about to be used.
#[derive(Clone, Copy)]
pub(crate) enum Target<'a> {
    Connection { provider: &'a str, id: Option<ConnectionId> },
    ServiceKey { service: &'a str, id: Option<ServiceKeyId> },
}

impl<'a> From<&'a SecretTarget> for Target<'a> {
    fn from(target: &'a SecretTarget) -> Self {
        match target {
            SecretTarget::Connection { provider, connection_id } => Self::Connection { provider, id: *connection_id },
            SecretTarget::ServiceKey { service, service_key_id } => Self::ServiceKey { service, id: *service_key_id },
        }
    }
}

/// What is about to be done with it.
#[derive(Clone, Copy)]
pub(super) struct Use<'a> {
    pub(super) action: SecretAction,
    pub(super) target: Target<'a>,
    /// The method of a request.
    pub(super) method: Option<&'a str>,
}

/// What the policies say.
pub(super) enum Verdict<'a> {
    Denied(&'a SecretPolicy),
    Allowed(&'a SecretPolicy),
    /// There are policies that allow it to others.
    NotAllowed,
    NoPolicy,
}

pub(super) fn decide<'a>(policies: &'a [SecretPolicy], principal: &Principal, used: &Use<'_>) -> Verdict<'a> {
    let mut verdict = Verdict::NoPolicy;
    for policy in policies.iter().filter(|policy| policy.is_about(used)) {
        match (policy.effect, policy.fits(principal, used)) {
            (SecretEffect::Deny, true) => return Verdict::Denied(policy),
            (SecretEffect::Deny, false) => {}
            (SecretEffect::Allow, true) if matches!(verdict, Verdict::Allowed(_)) => {}
            (SecretEffect::Allow, true) => verdict = Verdict::Allowed(policy),
            (SecretEffect::Allow, false) if matches!(verdict, Verdict::NoPolicy) => verdict = Verdict::NotAllowed,
            (SecretEffect::Allow, false) => {}
        }
    }
    verdict
}

impl SecretPolicy {
    /// Whether it has a say in this.
    fn is_about(&self, used: &Use<'_>) -> bool {
        let names_connections = !(self.providers.is_empty() && self.connection_ids.is_empty());
        let names_keys = !(self.services.is_empty() && self.service_key_ids.is_empty());
        let is_named = match used.target {
            Target::Connection { provider, id } => {
                (names_connections || !names_keys)
                    && says(&self.providers, |name| name == provider)
                    && says(&self.connection_ids, |one| Some(*one) == id)
            }
            Target::ServiceKey { service, id } => {
                (names_keys || !names_connections)
                    && says(&self.services, |name| name == service)
                    && says(&self.service_key_ids, |one| Some(*one) == id)
            }
        };
        is_named && says(&self.actions, |action| *action == used.action)
    }

    /// Whether this use, of those that it has a say in, is one that it means.
    fn fits(&self, principal: &Principal, used: &Use<'_>) -> bool {
        let purpose = principal.purpose.as_ref();
        says(&self.roles, |role| *role == principal.role)
            && says(&self.user_ids, |user| *user == principal.user_id)
            && says(&self.purposes, |name| purpose.is_some_and(|mine| mine.purpose == *name))
            && says(&self.tools, |name| purpose.is_some_and(|mine| mine.tool.as_ref() == Some(name)))
            && says(&self.methods, |method| used.method == Some(method.as_str()))
    }
}

/// An empty list says nothing.
fn says<T>(list: &[T], fits: impl Fn(&T) -> bool) -> bool {
    list.is_empty() || list.iter().any(fits)
}

impl Verdict<'_> {
    pub(super) fn describe(&self) -> SecretDecision {
        let (is_allowed, reason, policy) = match self {
            Self::Denied(policy) => (false, SecretDecisionReason::Denied, Some(policy)),
            Self::Allowed(policy) => (true, SecretDecisionReason::Allowed, Some(policy)),
            Self::NotAllowed => (false, SecretDecisionReason::NotAllowed, None),
            Self::NoPolicy => (true, SecretDecisionReason::NoPolicy, None),
        };
        SecretDecision { is_allowed, reason, policy: policy.map(|policy| policy.name.clone()) }
    }
}
