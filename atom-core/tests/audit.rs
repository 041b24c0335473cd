//! The audit log: written with the act, and broken by nobody unnoticed.

use crate::support::*;
use atom_core::testing::GoogleStandIn;
use atom_core::*;

async fn signed_in(database: &Database, times: usize) -> (Atom, AuditTrail) {
    let atom = database.open().await;
    let (_, scope) = sign_up(&atom, "ada@example.com").await;
    for _ in 1..times {
        let credentials = Credentials { email: "ada@example.com".into(), password: PASSWORD.into(), ..Default::default() };
        atom.accounts().sign_in(credentials).await.unwrap();
    }
    (atom, scope.audit())
}

fn broken(intact: i64, problem: AuditProblem) -> AuditReport {
    AuditReport { intact_entries: intact, problem: Some(problem), problem_at: Some(intact + 1) }
}

fn intact(entries: i64) -> AuditReport {
    AuditReport { intact_entries: entries, problem: None, problem_at: None }
}

on_both!(p40_audit_entries_stand_in_the_order_of_the_acts, |database| async move {
    let google = GoogleStandIn::start().await.unwrap();
    let atom = database.builder().provider(google.app()).refresh_grace_seconds(0).open().await.unwrap();
    let (session, scope) = sign_up(&atom, "ada@example.com").await;
    let connection = connect(&scope, &google, "ada@gmail.example").await;
    google.revoke_grants().await.unwrap();
    google.expire_access_tokens().await.unwrap();
    connection.files().get("x".into()).await.expect_err("the grant is gone");
    connection.revoke().await.unwrap();
    connection.revoke().await.expect("twice is no error, and no second entry");
    let second = atom.accounts().refresh(session.refresh_token.clone()).await.unwrap();
    atom.accounts().refresh(second.refresh_token).await.unwrap();
    atom.accounts().refresh(session.refresh_token).await.err().expect("reuse");

    let page = scope.audit().list(AuditFilter::default()).await.unwrap();
    let mut entries = page.items;
    entries.reverse();
    use AuditAction::*;
    let actions: Vec<_> = entries.iter().map(|e| e.action).collect();
    assert_eq!(actions, [SignedUp, Connected, ReauthRequired, Disconnected, RefreshTokenReused]);
    assert!(entries.iter().zip(1..).all(|(e, n)| e.sequence == n && e.user_id == Some(session.user.id)));
    assert_eq!(entries[2].details["reason"], "invalid_grant");
    assert_eq!(entries[1].subject, Some(connection.id().to_string()));
    assert_eq!(scope.audit().verify(None).await.unwrap(), intact(5));
});

on_both!(p40_audit_entries_of_parallel_acts_are_one_chain, |database| async move {
    let (atom, audit) = signed_in(&database, 1).await;
    let acts: Vec<_> = (0..20)
        .map(|_| {
            let accounts = atom.accounts();
            let credentials = Credentials { email: "ada@example.com".into(), password: PASSWORD.into(), ..Default::default() };
            tokio::spawn(async move { accounts.sign_in(credentials).await.unwrap() })
        })
        .collect();
    for act in acts {
        act.await.unwrap();
    }
    assert_eq!(audit.verify(None).await.unwrap(), intact(21));
});

on_both!(p40_audit_an_act_that_cannot_be_logged_does_not_happen, |database| async move {
    let (atom, audit) = signed_in(&database, 1).await;
    sql(&database, "ALTER TABLE atom_audit RENAME TO gone", "ALTER TABLE atom_audit RENAME TO gone").await;
    let credentials = || Credentials { email: "ada@example.com".into(), password: PASSWORD.into(), ..Default::default() };
    atom.accounts().sign_in(credentials()).await.err().expect("refused");
    sql(&database, "ALTER TABLE gone RENAME TO atom_audit", "ALTER TABLE gone RENAME TO atom_audit").await;
    assert_eq!(audit.verify(None).await.unwrap(), intact(1), "nothing is left of the failed act");
    atom.accounts().sign_in(credentials()).await.expect("and it can be done again");
});

/// One way to tamper with a log of eight entries, and what verification says.
macro_rules! tampered {
    ($name:ident, $statement:expr, $expected:expr) => {
        on_both!($name, |database| async move {
            let (_atom, audit) = signed_in(&database, 8).await;
            assert_eq!(audit.verify(None).await.unwrap(), intact(8));
            sql(&database, $statement, $statement).await;
            assert_eq!(audit.verify(None).await.unwrap(), $expected);
        });
    };
}

tampered!(
    p40_audit_an_edited_entry_is_found,
    "UPDATE atom_audit SET action = 'signed_out' WHERE sequence = 3",
    broken(2, AuditProblem::Altered)
);
tampered!(
    p40_audit_an_emptied_field_is_found,
    "UPDATE atom_audit SET user_id = NULL WHERE sequence = 1",
    broken(0, AuditProblem::Altered)
);
tampered!(p40_audit_a_deleted_entry_is_found, "DELETE FROM atom_audit WHERE sequence = 5", broken(4, AuditProblem::Missing));
tampered!(
    p40_audit_a_closed_gap_is_found,
    "DELETE FROM atom_audit WHERE sequence = 5; UPDATE atom_audit SET sequence = 5 WHERE sequence = 6",
    broken(4, AuditProblem::Altered)
);
tampered!(
    p40_audit_an_inserted_entry_is_found,
    "UPDATE atom_audit SET sequence = 9 WHERE sequence = 8;
     INSERT INTO atom_audit (workspace_id, sequence, at, action, details, hash)
        SELECT workspace_id, 8, at, action, details, hash FROM atom_audit WHERE sequence = 7",
    broken(7, AuditProblem::Altered)
);
tampered!(
    p40_audit_exchanged_entries_are_found,
    "UPDATE atom_audit SET sequence = 99 WHERE sequence = 3; UPDATE atom_audit SET sequence = 3 WHERE sequence = 6;
     UPDATE atom_audit SET sequence = 6 WHERE sequence = 99",
    broken(2, AuditProblem::Altered)
);
tampered!(p40_audit_a_cut_end_is_found, "DELETE FROM atom_audit WHERE sequence > 6", broken(6, AuditProblem::Truncated));
tampered!(p40_audit_a_removed_head_is_found, "DELETE FROM atom_audit_heads", broken(8, AuditProblem::Truncated));

/// The head is moved back with the end, so that the chain itself is whole: only what was kept elsewhere knows better.
const CUT_WITH_HEAD: &str = "DELETE FROM atom_audit WHERE sequence > 6;
    UPDATE atom_audit_heads SET sequence = 6, hash = (SELECT hash FROM atom_audit WHERE sequence = 6)";

on_both!(p40_audit_a_checkpoint_shows_what_the_chain_cannot, |database| async move {
    let (atom, audit) = signed_in(&database, 8).await;
    let checkpoint = audit.checkpoint().await.unwrap();
    assert_eq!(audit.verify(Some(vec![checkpoint.clone()])).await.unwrap(), intact(8));
    sql(&database, CUT_WITH_HEAD, CUT_WITH_HEAD).await;
    assert_eq!(audit.verify(None).await.unwrap(), intact(6));
    assert_eq!(audit.verify(Some(vec![checkpoint.clone()])).await.unwrap(), broken(6, AuditProblem::Truncated));

    for _ in 0..3 {
        let credentials = Credentials { email: "ada@example.com".into(), password: PASSWORD.into(), ..Default::default() };
        atom.accounts().sign_in(credentials).await.unwrap();
    }
    assert_eq!(audit.verify(Some(vec![checkpoint])).await.unwrap(), broken(7, AuditProblem::Rewritten));
});

on_both!(a_checkpoint_of_another_workspace_or_key_is_refused, |database| async move {
    let (atom, audit) = signed_in(&database, 1).await;
    let (_, bob) = sign_up(&atom, "bob@example.com").await;
    let elsewhere = Database::sqlite();
    let (_other, other_audit) = signed_in(&elsewhere, 1).await;
    for stranger in [bob.audit().checkpoint().await.unwrap(), other_audit.checkpoint().await.unwrap(), "a.b.c".into()] {
        assert_eq!(audit.verify(Some(vec![stranger])).await.err().unwrap().reason(), "unknown_checkpoint");
    }
});

on_both!(p22_members_and_guests_do_not_read_the_audit_log, |database| async move {
    let atom = database.open().await;
    let (session, _) = sign_up(&atom, "ada@example.com").await;
    for (role, may) in [("admin", true), ("member", false), ("guest", false), ("owner", true)] {
        let statement: &'static str = match role {
            "admin" => "UPDATE atom_memberships SET role = 'admin'",
            "member" => "UPDATE atom_memberships SET role = 'member'",
            "guest" => "UPDATE atom_memberships SET role = 'guest'",
            _ => "UPDATE atom_memberships SET role = 'owner'",
        };
        sql(&database, statement, statement).await;
        let audit = atom.act_as(session.user.id, session.workspace.id).await.unwrap().audit();
        assert_eq!(audit.list(AuditFilter::default()).await.is_ok(), may, "{role}");
        assert_eq!(audit.verify(None).await.is_ok(), may, "{role}");
        assert_eq!(audit.checkpoint().await.is_ok(), may, "{role}");
    }
});
