//! Break-glass: secrets that nothing lets out are revealed with the approval of others, and each step is told.

mod approving;
mod asking;
mod leaks;
mod offline;
mod revealing;

use crate::support::*;
use atom_core::testing::VendorStandIn;
use atom_core::*;
use chrono::TimeDelta;

const REASON: &str = "the gateway is down and the vendor asks for the token";
const KEY: &str = "sk-canary-0a1b2c3d4e5f-wxyz";

/// Ada, who owns a workspace and has an account at a vendor whose tokens stay inside. Others join.
struct Place<'a> {
    database: &'a Database,
    atom: Atom,
    vendor: VendorStandIn,
    clock: TestClock,
    session: Session,
    ada: Scope,
}

impl<'a> Place<'a> {
    async fn open(database: &'a Database) -> Self {
        let (vendor, clock) = (VendorStandIn::start().await.unwrap(), TestClock::new());
        let atom = open(database, &vendor, &clock).await;
        let (session, ada) = sign_up(&atom, "ada@example.com").await;
        Self { database, atom, vendor, clock, session, ada }
    }

    /// The same installation in what could be another process.
    async fn elsewhere(&self) -> Atom {
        open(self.database, &self.vendor, &self.clock).await
    }

    /// Somebody who joins Ada's workspace.
    async fn joins(&self, name: &str, role: Role) -> Scope {
        member(self.database, &self.atom, &self.session, &format!("{name}@example.com"), role).await
    }

    async fn becomes(&self, name: &str, role: Role) {
        self.run(format!("UPDATE atom_memberships SET role = '{}' WHERE {}", role.as_str(), of(name))).await;
    }

    async fn leaves(&self, name: &str) {
        self.run(format!("DELETE FROM atom_memberships WHERE {}", of(name))).await;
    }

    /// Runs a statement behind Atom's back.
    async fn run(&self, text: String) {
        sql(self.database, text.clone(), text).await;
    }

    /// An account of Ada's at the vendor, by consent.
    async fn connection(&self) -> Connection {
        let start = StartConnection { method: Some("oauth2".into()), ..start("vendor") };
        let authorization = self.ada.connections().start(start).await.unwrap();
        let callback = self.vendor.decide(&authorization.url, Some("ada")).unwrap();
        self.ada.connections().complete(callback).await.unwrap()
    }

    /// A service key of the workspace that does not leave it.
    async fn service_key(&self) -> ServiceKey {
        let new = NewServiceKey {
            service: "openai".into(),
            value: KEY.into(),
            owner: Some(ServiceKeyOwner::Workspace),
            hosts: Some(vec!["api.openai.com".into()]),
            ..Default::default()
        };
        self.ada.service_keys().create(new).await.unwrap()
    }

    /// A request of somebody's for a service key of the workspace.
    async fn request(&self, scope: &Scope) -> EmergencyRequest {
        let known = self.ada.service_keys().list(ServiceKeyFilter::default()).await.unwrap().items;
        let id = match known.first() {
            Some(key) => key.id,
            None => self.service_key().await.id,
        };
        scope.emergency_access().request(for_key(id)).await.unwrap()
    }

    /// The same, approved by these.
    async fn granted(&self, scope: &Scope, approvers: [&Scope; 2]) -> EmergencyRequest {
        let request = self.request(scope).await;
        approvers[0].emergency_access().approve(request.id).await.unwrap();
        let granted = approvers[1].emergency_access().approve(request.id).await.unwrap();
        assert_eq!(granted.state, EmergencyState::Granted);
        granted
    }

    async fn state(&self, id: EmergencyRequestId) -> EmergencyState {
        self.ada.emergency_access().get(id).await.unwrap().state
    }

    /// The names of the events of emergencies, in order.
    async fn told(&self) -> Vec<String> {
        let filter = EventFilter { names: Some(vec!["emergency.*".into()]), ..Default::default() };
        let events = self.ada.events().list(filter).await.unwrap().items;
        events.iter().map(|event| event.name.strip_prefix("emergency.").unwrap().to_owned()).collect()
    }

    /// What was done about a request, in order.
    async fn actions(&self, id: EmergencyRequestId) -> Vec<AuditAction> {
        let filter = AuditFilter { subject: Some(id.to_string()), ..Default::default() };
        let items = self.ada.audit().list(filter).await.unwrap().items;
        items.into_iter().rev().map(|entry| entry.action).collect()
    }
}

async fn open(database: &Database, vendor: &VendorStandIn, clock: &TestClock) -> Atom {
    let app = ProviderApp { export_tokens: None, ..vendor.app() };
    database.builder().keep_events_days(3650).clock(clock.clone()).provider(app).open().await.unwrap()
}

/// The condition that names somebody's membership in Ada's workspace.
fn of(name: &str) -> String {
    format!(
        "user_id = (SELECT id FROM atom_users WHERE email = '{name}@example.com')
         AND workspace_id = (SELECT id FROM atom_workspaces WHERE name = 'ada')"
    )
}

fn for_key(id: ServiceKeyId) -> NewEmergencyAccess {
    NewEmergencyAccess { service_key_id: Some(id), reason: REASON.into(), ..Default::default() }
}

fn for_connection(id: ConnectionId) -> NewEmergencyAccess {
    NewEmergencyAccess { connection_id: Some(id), reason: REASON.into(), ..Default::default() }
}

fn reason<T>(result: Result<T>) -> &'static str {
    result.err().expect("refused").reason()
}
