//! An account for the examples in the documentation.

use crate::{Atom, ConnectWith, Connection, Error, LocalKey, NewAccount, ProviderApp, Result};
use axum::extract::{Path, Query, State};
use axum::http::StatusCode;
use axum::routing::get;
use axum::{Json, Router};
use serde_json::{Map, Value, json};
use std::collections::{BTreeMap, HashMap};
use std::fmt::Write;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use tokio::net::TcpListener;

/// How the service carries out each operation: it keeps records by kind, and finds them by their members.
const OPERATIONS: [(&str, &str, &str); 39] = [
    ("accounting.create_invoice", "POST", "invoices"),
    ("accounting.list_invoices", "LIST", "invoices"),
    ("automation.enable_workflow", "PATCH is_enabled = true", "workflows"),
    ("automation.start_run", "POST status = \"running\"", "runs"),
    ("automation.list_runs", "LIST", "runs"),
    ("chat.send_message", "POST", "messages"),
    ("chat.update_message", "PATCH", "messages"),
    ("chat.list_messages", "LIST", "messages"),
    ("code.create_pull_request", "POST state = \"open\"", "pulls"),
    ("code.merge_pull_request", "PATCH state = \"merged\"", "pulls"),
    ("code.list_pull_requests", "LIST", "pulls"),
    ("commerce.create_product", "POST", "products"),
    ("commerce.update_product", "PATCH", "products"),
    ("commerce.list_products", "LIST", "products"),
    ("crm.create_contact", "POST", "contacts"),
    ("crm.create_deal", "POST", "deals"),
    ("crm.update_deal", "PATCH", "deals"),
    ("crm.list_deals", "LIST", "deals"),
    ("design.create_comment", "POST", "remarks"),
    ("design.list_comments", "LIST", "remarks"),
    ("documents.create", "POST", "documents"),
    ("documents.get_text", "GET", "documents"),
    ("documents.list", "LIST", "documents"),
    ("meetings.create", "POST join_url = \"https://meet.example/1\"", "meetings"),
    ("meetings.update", "PATCH", "meetings"),
    ("payments.create_customer", "POST", "customers"),
    ("payments.create_payment", "POST status = \"succeeded\"", "payments"),
    ("payments.refund", "POST", "refunds"),
    ("payments.list_payments", "LIST", "payments"),
    ("push.send", "POST", "notifications"),
    ("social.create_post", "POST", "posts"),
    ("social.create_comment", "POST", "answers"),
    ("social.list_comments", "LIST", "answers"),
    ("support.create_ticket", "POST status = \"new\"", "tickets"),
    ("support.create_comment", "POST", "replies"),
    ("support.update_ticket", "PATCH", "tickets"),
    ("tasks.create", "POST status = \"open\"", "tasks"),
    ("tasks.update", "PATCH", "tasks"),
    ("tasks.list", "LIST", "tasks"),
];

/// Members of its records, which have our names.
const FIELDS: &str = "id amount attendees author_id body channel_id company_id contact_id currency customer_id data description due_at email ends_at file_id first_name \
                      input is_draft is_enabled is_public join_url kind last_name lines link_url name node_id number parent_id payment_id post_id priority project_id reason \
                      repository_id source_branch stage starts_at state status subject tags target_branch text ticket_id title tokens vendor workflow_id";

/// By kind and id.
type Kept = BTreeMap<(String, String), Map<String, Value>>;
type Records = Arc<Mutex<Kept>>;

/// Ada's account at a service on loopback that has something of every capability. It lasts as long as the runtime.
#[doc(hidden)]
pub async fn example() -> Result<(Atom, Connection)> {
    let unavailable = |e: std::io::Error| Error::unavailable("no_port", "no port of 127.0.0.1 can be opened").with_source(e);
    let listener = TcpListener::bind(("127.0.0.1", 0)).await.map_err(unavailable)?;
    let url = format!("http://{}", listener.local_addr().map_err(unavailable)?);
    let router = Router::new()
        .route("/me", get(|| async { Json(json!({ "id": "ada" })) }))
        .route("/{kind}", get(list).post(create))
        .route("/{kind}/{id}", get(read).patch(change))
        .with_state(Records::default());
    tokio::spawn(async move { axum::serve(listener, router).await });
    let app = ProviderApp { provider: "example".into(), manifest: Some(manifest(&url)), ..Default::default() };
    let atom = Atom::builder("memory:").key(LocalKey::generate()?).provider(app).open().await?;
    let ada = NewAccount { email: "ada@example.com".into(), password: "an engine of brass".into(), ..Default::default() };
    let scope = atom.authenticate(atom.accounts().sign_up(ada).await?.access_token).await?;
    let fields = HashMap::from([("api_key".to_owned(), "k".into())]);
    let with = ConnectWith { provider: "example".into(), fields, ..Default::default() };
    let connection = scope.connections().connect(with).await?;
    Ok((atom, connection))
}

fn manifest(url: &str) -> String {
    let mut text = format!(
        "schema = 1\nname = \"example\"\ntitle = \"Example\"\ndocs = \"{url}\"\nverified_at = \"2026-11-29\"\nhosts = [\"127.0.0.1\"]\n\
         [methods.key]\ntype = \"api_key\"\ntitle = \"Key\"\nsend = {{ headers = {{ X-Key = \"{{api_key}}\" }} }}\n\
         [identity]\nurl = \"{url}/me\"\naccount_id = \"id\"\n[services.main]\nbase_url = \"{url}\"\n[services.main.records.one]\n"
    );
    for field in FIELDS.split_ascii_whitespace() {
        let _ = writeln!(text, "{field} = \"{field}\"");
    }
    let filters: Vec<_> = FIELDS.split_ascii_whitespace().map(|field| format!("{field} = \"{{{field}}}\"")).collect();
    for (name, how, kind) in OPERATIONS {
        let (method, more) = how.split_once(' ').unwrap_or((how, ""));
        let (path, effect, rest) = match method {
            "LIST" => (format!("/{kind}"), "read", format!("items = \"items\"\nquery = {{ {} }}", filters.join(", "))),
            "GET" => (format!("/{kind}/{{id}}"), "read", String::new()),
            "PATCH" => (format!("/{kind}/{{id}}"), "idempotent", body(more)),
            _ => (format!("/{kind}"), "once", body(more)),
        };
        let method = if method == "LIST" { "GET" } else { method };
        let _ = writeln!(
            text,
            "[services.main.operations.\"{name}\"]\nvendor_op = \"{method} {kind}\"\nmethod = \"{method}\"\npath = \"{path}\"\n\
             effect = \"{effect}\"\nrecord = \"one\"\n{rest}"
        );
    }
    text
}

/// What is sent: what was given, and what a new record of its kind has besides.
fn body(more: &str) -> String {
    format!("body = {{ encoding = \"json\", record = \"one\", json = {{ {more} }} }}")
}

fn kept(records: &Records) -> MutexGuard<'_, Kept> {
    records.lock().unwrap_or_else(PoisonError::into_inner)
}

async fn create(
    State(records): State<Records>,
    Path(kind): Path<String>,
    Json(mut record): Json<Map<String, Value>>,
) -> Json<Value> {
    let mut records = kept(&records);
    let id = (records.len() + 1).to_string();
    record.insert("id".into(), id.as_str().into());
    records.insert((kind, id), record.clone());
    Json(Value::Object(record))
}

async fn list(
    State(records): State<Records>,
    Path(kind): Path<String>,
    Query(wanted): Query<HashMap<String, String>>,
) -> Json<Value> {
    let fits = |record: &Map<String, Value>| {
        wanted.iter().all(|(name, value)| record.get(name).and_then(Value::as_str).is_some_and(|held| held == value))
    };
    let records = kept(&records);
    let of_kind = records.iter().filter(|((known, _), record)| *known == kind && fits(record));
    Json(json!({ "items": of_kind.map(|(_, record)| record).collect::<Vec<_>>() }))
}

async fn read(State(records): State<Records>, Path(at): Path<(String, String)>) -> Result<Json<Value>, StatusCode> {
    let record = kept(&records).get(&at).cloned();
    record.map(|record| Json(Value::Object(record))).ok_or(StatusCode::NOT_FOUND)
}

/// What is not there yet comes to be.
async fn change(
    State(records): State<Records>,
    Path(at): Path<(String, String)>,
    Json(changes): Json<Map<String, Value>>,
) -> Json<Value> {
    let mut records = kept(&records);
    let record = records.entry(at.clone()).or_default();
    record.insert("id".into(), at.1.into());
    record.extend(changes);
    Json(Value::Object(record.clone()))
}
