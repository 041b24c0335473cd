//! Workspaces of several people: who is in them, who joins, who goes, and what goes with them.

mod invitations;
mod members;
mod races;

use crate::mail::Letters;
use crate::support::*;
use atom_core::testing::GoogleStandIn;
use atom_core::*;
use chrono::TimeDelta;

/// The token in a letter.
pub(super) fn token(letter: &OutgoingMail) -> Secret {
    let (_, rest) = letter.text.split_once("token=").expect("a link");
    rest.split_whitespace().next().unwrap().into()
}

on_both!(a_user_makes_renames_and_enters_workspaces, |database| async move {
    let clock = TestClock::stopped();
    let atom = database.builder().clock(clock.clone()).open().await.unwrap();
    let client = Client { device_name: Some("Ada's phone".into()), ..Default::default() };
    let account = NewAccount { client: Some(client.clone()), ..account("ada@example.com") };
    let session = atom.accounts().sign_up(account).await.unwrap();
    let scope = atom.authenticate(session.access_token.clone()).await.unwrap();
    for name in ["", "  ", "two\nlines", &"x".repeat(101)] {
        let refused = scope.workspaces().create(NewWorkspace { name: name.into() }).await;
        assert_eq!(reason(refused), "malformed_workspace_name");
    }
    clock.advance(TimeDelta::minutes(5));
    let engines = scope.workspaces().create(NewWorkspace { name: " Engines ".into() }).await.unwrap();
    let listed = scope.workspaces().list().await.unwrap();
    assert_eq!(listed.iter().map(|m| m.workspace.name.as_str()).collect::<Vec<_>>(), ["ada", "Engines"]);
    assert!(listed.iter().all(|m| m.role == Role::Owner));

    let entered = scope.workspaces().switch_to(engines.id).await.unwrap();
    assert_eq!((entered.workspace.id, entered.role, entered.user.id), (engines.id, Role::Owner, session.user.id));
    let there = atom.authenticate(entered.access_token.clone()).await.unwrap();
    assert_eq!(there.workspaces().get().await.unwrap(), engines);
    assert_eq!(there.workspaces().rename("Difference engines".into()).await.unwrap().name, "Difference engines");
    assert_eq!(scope.workspaces().get().await.unwrap().name, "ada", "the other one is as it was");
    assert_eq!(there.workspaces().seats().await.unwrap(), WorkspaceSeats { limit: None, members: 1, invitations: 0 });

    let sessions = there.sessions().list().await.unwrap();
    assert_eq!(sessions.len(), 2, "the one before goes on");
    assert!(sessions.iter().all(|session| session.client.as_ref() == Some(&client)), "it is the same device");
    assert!(sessions[0].expires_at <= sessions[1].created_at + TimeDelta::days(180), "and lasts no longer");
    clock.advance(TimeDelta::minutes(5));
    assert!(!there.step_up().is_fresh().await.unwrap(), "nobody has proved anything by it");

    let refreshed = atom.accounts().refresh(entered.refresh_token).await.unwrap();
    assert_eq!(refreshed.workspace.name, "Difference engines");
    let (eve, _) = sign_up(&atom, "eve@example.com").await;
    assert_eq!(reason(scope.workspaces().switch_to(eve.workspace.id).await), "not_found");
    let absent = atom.act_as(session.user.id, session.workspace.id).await.unwrap();
    assert_eq!(reason(absent.workspaces().switch_to(engines.id).await), "no_session");

    let filter = || AuditFilter::default();
    let acts: Vec<_> = there.audit().list(filter()).await.unwrap().items.iter().rev().map(|entry| entry.action).collect();
    assert_eq!(acts, [AuditAction::WorkspaceCreated, AuditAction::WorkspaceEntered, AuditAction::WorkspaceRenamed]);
    let events = there.events().list(EventFilter::default()).await.unwrap().items;
    let names: Vec<_> = events.iter().map(|event| event.name.as_str()).collect();
    assert_eq!(names, ["workspace.created", "session.started", "workspace.renamed"]);
});

on_both!(p38_a_workspace_goes_with_everything_in_it, |database| async move {
    let (google, clock) = (GoogleStandIn::start().await.unwrap(), TestClock::new());
    let atom = database.builder().clock(clock.clone()).provider(google.app()).open().await.unwrap();
    let (session, scope) = sign_up(&atom, "ada@example.com").await;
    let engines = scope.workspaces().create(NewWorkspace { name: "Engines".into() }).await.unwrap();
    let entered = scope.workspaces().switch_to(engines.id).await.unwrap();
    let there = atom.authenticate(entered.access_token.clone()).await.unwrap();
    connect(&there, &google, "ada@gmail.example").await;
    let kept = connect(&scope, &google, "ada@work.example").await;
    let id = hex(engines.id);
    join_as(&database, engines.id, "ada@example.com", Role::Owner).await.expect_err("she is in it");
    let (_, bob) = sign_up(&atom, "bob@example.com").await;
    join_as(&database, engines.id, "bob@example.com", Role::Admin).await.unwrap();
    let bob = atom.act_as(bob.principal().user_id, engines.id).await.unwrap();
    assert_eq!(reason(bob.workspaces().remove().await), "no_session");

    clock.advance(TimeDelta::minutes(11));
    assert_eq!(reason(there.workspaces().remove().await), "step_up_required");
    there.step_up().with_password(PASSWORD.into()).await.unwrap();
    there.workspaces().remove().await.unwrap();
    assert_eq!(google.hits("/revoke".into()).await.unwrap(), 1, "the grant is withdrawn");
    assert_eq!(reason(atom.authenticate_live(entered.access_token).await), "session_revoked");
    assert_eq!(reason(atom.accounts().refresh(entered.refresh_token).await), "invalid_refresh_token");
    assert_eq!(reason(atom.act_as(session.user.id, engines.id).await), "not_a_member");
    assert_eq!(scope.workspaces().list().await.unwrap().len(), 1);
    for table in TABLES {
        let (lite, pg) = (format!("workspace_id = x'{id}'"), format!("workspace_id = '{id}'"));
        let rows = if database.url.starts_with("sqlite:") { lite } else { pg };
        assert_eq!(number(&database, format!("SELECT count(*) FROM {table} WHERE {rows}")).await, 0, "{table}");
    }
    kept.files().list(ListFiles::default()).await.expect("another workspace goes on");
    let log = atom.keys().audit(AuditFilter { action: Some(AuditAction::WorkspaceDeleted), ..Default::default() }).await.unwrap();
    assert_eq!(log.items[0].subject.as_deref(), Some(engines.id.to_string().as_str()));
    assert_eq!(reason(atom.workspaces().remove(engines.id).await), "not_found");
    atom.workspaces().remove(session.workspace.id).await.expect("the operator may, too");
});

/// Every table of a workspace's rows but the two that outlive it: what is to be withdrawn, and keys that are destroyed.
const TABLES: &[&str] = &[
    "atom_audit",
    "atom_audit_heads",
    "atom_connections",
    "atom_event_heads",
    "atom_events",
    "atom_invitations",
    "atom_limits",
    "atom_memberships",
    "atom_runs",
    "atom_schedules",
    "atom_secret_leases",
    "atom_secret_policies",
    "atom_service_keys",
    "atom_sessions",
    "atom_steps",
    "atom_token_sets",
    "atom_webhook_endpoints",
    "atom_workspace_providers",
];

fn hex(id: WorkspaceId) -> String {
    id.to_string().replace('-', "")
}

/// Makes somebody a member of a workspace behind Atom's back.
pub(super) async fn join_as(database: &Database, workspace: WorkspaceId, email: &str, role: Role) -> Result<(), String> {
    let (id, role) = (hex(workspace), role.as_str());
    let joined = |id: String, now: &str| {
        format!(
            "INSERT INTO atom_memberships (workspace_id, user_id, role, created_at)
             SELECT {id}, u.id, '{role}', {now} FROM atom_users u WHERE u.email = '{email}'"
        )
    };
    let (lite, pg) = (joined(format!("x'{id}'"), "0"), joined(format!("'{id}'::uuid"), "now()"));
    tokio::spawn({
        let (url, sqlite) = (database.url.clone(), database.url.starts_with("sqlite:"));
        async move {
            use sqlx::Connection as _;
            let failed = |e: sqlx::Error| e.to_string();
            if sqlite {
                let mut c = sqlx::SqliteConnection::connect(&url).await.map_err(failed)?;
                sqlx::raw_sql(sqlx::AssertSqlSafe(lite)).execute(&mut c).await.map_err(failed).map(drop)
            } else {
                let mut c = sqlx::PgConnection::connect(&url).await.map_err(failed)?;
                sqlx::raw_sql(sqlx::AssertSqlSafe(pg)).execute(&mut c).await.map_err(failed).map(drop)
            }
        }
    })
    .await
    .unwrap()
}

on_both!(a_departure_that_was_cut_off_is_finished_by_a_worker, |database| async move {
    let (atom, google) = database.with_google().await;
    let (ada, _) = sign_up(&atom, "ada@example.com").await;
    let bob = member(&database, &atom, &ada, "bob@example.com", Role::Member).await;
    connect(&bob, &google, "bob@gmail.example").await;
    // As a process leaves it that dies after the commit.
    let cut = |now: &str| {
        format!(
            "UPDATE atom_memberships SET leaving_at = {now} WHERE role = 'member'; UPDATE atom_workspaces SET closing_at = {now} WHERE name = 'bob'"
        )
    };
    sql(&database, cut("1"), cut("now()")).await;
    assert_eq!(reason(atom.act_as(bob.principal().user_id, ada.workspace.id).await), "not_a_member");
    let worker = atom.start_worker(Default::default(), None).await.unwrap();
    for _ in 0..500 {
        if number(&database, "SELECT count(*) FROM atom_memberships").await == 1 {
            break;
        }
        tokio::time::sleep(std::time::Duration::from_millis(20)).await;
    }
    worker.stop().await.unwrap();
    assert_eq!(number(&database, "SELECT count(*) FROM atom_memberships").await, 1);
    assert_eq!(number(&database, "SELECT count(*) FROM atom_workspaces").await, 1);
    assert_eq!(google.hits("/revoke".into()).await.unwrap(), 1);
});
