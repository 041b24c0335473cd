//! The rule, in full: every combination of a small world, against an evaluator that shares nothing with the library's.

use super::*;

/// A policy of the small world.
#[derive(Clone, Copy, Debug)]
struct Small {
    effect: SecretEffect,
    actions: &'static [SecretAction],
    roles: &'static [Role],
    purposes: &'static [&'static str],
}

/// A use of the small world.
#[derive(Clone, Copy, Debug)]
struct Asked {
    action: SecretAction,
    role: Role,
    purpose: Option<&'static str>,
}

const EFFECTS: [SecretEffect; 2] = [SecretEffect::Allow, SecretEffect::Deny];
const ACTIONS: [SecretAction; 2] = [SecretAction::Request, SecretAction::Export];
const ROLES: [Role; 4] = [Role::Owner, Role::Admin, Role::Member, Role::Guest];
const PURPOSES: [Option<&str>; 3] = [None, Some("sync"), Some("chat")];

/// Every policy: 2 effects, 3 lists of actions, 2 of roles, 2 of purposes.
fn all_policies() -> Vec<Small> {
    let mut all = Vec::new();
    for effect in EFFECTS {
        for actions in [&[][..], &[SecretAction::Request], &[SecretAction::Export]] {
            for roles in [&[][..], &[Role::Member, Role::Guest]] {
                for purposes in [&[][..], &["sync"]] {
                    all.push(Small { effect, actions, roles, purposes });
                }
            }
        }
    }
    all
}

/// Every use: 2 actions, 4 roles, 3 purposes.
fn all_uses() -> Vec<Asked> {
    let mut all = Vec::new();
    for action in ACTIONS {
        for role in ROLES {
            for purpose in PURPOSES {
                all.push(Asked { action, role, purpose });
            }
        }
    }
    all
}

/// The rule as its two sentences say it.
fn is_allowed(policies: &[Small], asked: Asked) -> bool {
    let is_for_action = |policy: &&Small| policy.actions.is_empty() || policy.actions.contains(&asked.action);
    let is_for_role = |policy: &&Small| policy.roles.is_empty() || policy.roles.contains(&asked.role);
    let is_for_purpose = |policy: &&Small| match asked.purpose {
        None => policy.purposes.is_empty(),
        Some(purpose) => policy.purposes.is_empty() || policy.purposes.contains(&purpose),
    };
    let (allows, denies): (Vec<&Small>, Vec<&Small>) =
        policies.iter().filter(is_for_action).partition(|policy| policy.effect == SecretEffect::Allow);
    // A deny that fits wins.
    if denies.into_iter().filter(is_for_role).any(|policy| is_for_purpose(&policy)) {
        return false;
    }
    // Otherwise, where there is an allow policy for this target and action, one must fit.
    let fitting = allows.iter().copied().filter(is_for_role).filter(is_for_purpose).count();
    allows.is_empty() || fitting > 0
}

impl Small {
    fn named(self, name: &str) -> NewSecretPolicy {
        NewSecretPolicy {
            name: name.into(),
            effect: self.effect,
            actions: Some(self.actions.to_vec()),
            roles: Some(self.roles.to_vec()),
            purposes: words(self.purposes),
            ..Default::default()
        }
    }
}

impl Asked {
    fn question(self, target: SecretTarget) -> SecretUse {
        SecretUse {
            target,
            action: self.action,
            user_id: None,
            role: Some(self.role),
            purpose: self.purpose.map(|name| purpose(name, None)),
            method: (self.action == SecretAction::Request).then(|| "GET".into()),
        }
    }
}

on_both!(p41_the_answer_to_every_use_under_every_pair_of_policies_is_the_rules, |database| async move {
    let atom = database.open().await;
    let (_, scope) = sign_up(&atom, "ada@example.com").await;
    let (policies, all, uses) = (scope.secret_policies(), all_policies(), all_uses());
    assert_eq!((all.len(), uses.len()), (24, 24));
    let google = || SecretTarget::Connection { provider: "google".into(), connection_id: None };
    let mut seen = std::collections::HashMap::new();
    for (i, first) in all.iter().enumerate() {
        policies.put(first.named("first")).await.unwrap();
        for second in &all[i..] {
            policies.put(second.named("second")).await.unwrap();
            for asked in &uses {
                let decision = policies.explain(asked.question(google())).await.unwrap();
                let expected = is_allowed(&[*first, *second], *asked);
                assert_eq!(decision.is_allowed, expected, "{asked:?} under {first:?} and {second:?}: {decision:?}");
                let names_one = matches!(decision.reason, SecretDecisionReason::Allowed | SecretDecisionReason::Denied);
                assert_eq!(decision.policy.is_some(), names_one);
                *seen.entry(format!("{:?}", decision.reason)).or_insert(0) += 1;
            }
        }
    }
    assert_eq!(seen.values().sum::<i32>(), 300 * 24);
    assert_eq!(seen.len(), 4, "every reason occurs: {seen:?}");
});

/// A member with a role, their connection, and the scopes for each purpose.
struct Actor {
    role: Role,
    connection: ConnectionId,
    scopes: Vec<(Option<&'static str>, Scope)>,
}

async fn actors(database: &Database, place: &Place) -> Vec<Actor> {
    let mut actors = Vec::new();
    for (i, role) in ROLES.into_iter().enumerate() {
        let email = format!("actor{i}@example.com");
        let scope = member(database, &place.atom, &place.session, &email, role).await;
        let connection = connect(&scope, &place.google, &email).await.id();
        let mut scopes = Vec::new();
        for name in PURPOSES {
            let scope = match name {
                Some(name) => scope.for_purpose(purpose(name, None)).await.unwrap(),
                None => scope.clone(),
            };
            scopes.push((name, scope));
        }
        actors.push(Actor { role, connection, scopes });
    }
    actors
}

on_both!(p41_what_happens_is_what_the_rule_says, |database| async move {
    let place = Place::open(&database).await;
    let actors = actors(&database, &place).await;
    for policy in all_policies() {
        place.put(policy.named("only")).await;
        for actor in &actors {
            for (name, scope) in &actor.scopes {
                let connection = scope.connections().open(actor.connection).await.unwrap();
                for action in ACTIONS {
                    let asked = Asked { action, role: actor.role, purpose: *name };
                    let done = match action {
                        SecretAction::Request => connection.request(listing("GET")).await.map(drop),
                        SecretAction::Export => connection.access_token().await.map(drop),
                    };
                    match done {
                        Ok(()) => assert!(is_allowed(&[policy], asked), "{asked:?} happened under {policy:?}"),
                        Err(error) => {
                            assert_eq!((error.kind(), error.reason()), (ErrorKind::Forbidden, DENIED), "{error:?}");
                            assert!(!is_allowed(&[policy], asked), "{asked:?} was refused under {policy:?}");
                        }
                    }
                }
            }
        }
    }
});

on_both!(tools_and_purposes_are_told_apart, |database| async move {
    let place = Place::open(&database).await;
    place.put(NewSecretPolicy { tools: words(&["crm.search"]), purposes: words(&["sync"]), ..allow("crm-for-sync") }).await;
    let cases = [
        (None, false),
        (Some(purpose("sync", None)), false),
        (Some(purpose("sync", Some("crm.search"))), true),
        (Some(purpose("sync", Some("mail"))), false),
        (Some(purpose("chat", Some("crm.search"))), false),
        (Some(purpose("crm.search", Some("sync"))), false),
    ];
    for (purpose, expected) in cases {
        let scope = match purpose.clone() {
            Some(purpose) => place.scope.for_purpose(purpose).await.unwrap(),
            None => place.scope.clone(),
        };
        let done = scope.service_keys().request(place.key.id, place.call("GET")).await;
        assert_eq!(done.is_ok(), expected, "{purpose:?}");
    }
});

on_both!(an_explanation_names_the_policy_and_looks_up_who_is_meant, |database| async move {
    let place = Place::open(&database).await;
    let bob = member(&database, &place.atom, &place.session, "bob@example.com", Role::Guest).await;
    place
        .put(NewSecretPolicy { roles: Some(vec![Role::Owner, Role::Admin]), services: words(&["openai"]), ..allow("for-admins") })
        .await;
    place
        .put(NewSecretPolicy {
            user_ids: Some(vec![bob.principal().user_id]),
            methods: words(&["DELETE"]),
            ..deny("bob-deletes-nothing")
        })
        .await;
    let policies = place.scope.secret_policies();
    let openai = || SecretTarget::ServiceKey { service: "openai".into(), service_key_id: None };
    let asked = |user_id, method: Option<&str>, target| SecretUse {
        target,
        action: SecretAction::Request,
        user_id,
        role: None,
        purpose: None,
        method: method.map(str::to_owned),
    };
    let bob_id = Some(bob.principal().user_id);
    let said =
        |is_allowed, reason, policy: Option<&str>| SecretDecision { is_allowed, reason, policy: policy.map(str::to_owned) };
    use SecretDecisionReason::*;
    let cases = [
        (asked(None, None, openai()), said(true, Allowed, Some("for-admins"))),
        (asked(bob_id, Some("GET"), openai()), said(false, NotAllowed, None)),
        (asked(bob_id, Some("DELETE"), openai()), said(false, Denied, Some("bob-deletes-nothing"))),
        (
            asked(bob_id, None, SecretTarget::Connection { provider: "google".into(), connection_id: None }),
            said(true, NoPolicy, None),
        ),
    ];
    for (question, expected) in cases {
        assert_eq!(policies.explain(question.clone()).await.unwrap(), expected, "{question:?}");
    }
    assert_eq!(reason(policies.explain(asked(Some(UserId::generate()), None, openai())).await), "not_a_member");
    assert_eq!(reason(policies.explain(asked(None, Some("PURGE"), openai())).await), "unknown_method");
    let wrong = SecretUse { purpose: Some(purpose("A B", None)), ..asked(None, None, openai()) };
    assert_eq!(reason(policies.explain(wrong).await), "malformed_purpose");
});
