//! Lists files by the protocol of `listing/README.md`: the library's own way, by reqwest and serde_json alone, and the service that is asked.

use crate::tokens::accounts;
use crate::{Given, key, line};
use atom_core::{Atom, Connection, ListFiles, ProviderApp, Result};
use axum::Router;
use axum::extract::{Query, State};
use axum::http::header::CONTENT_TYPE;
use axum::response::{IntoResponse, Response};
use axum::routing::get;
use serde::Deserialize;
use serde_json::json;
use std::collections::HashMap;
use std::sync::Arc;
use std::time::Duration;

const PAGE: usize = 1000;
/// What `files.list` of `providers/google.toml` asks for.
const FIELDS: &str = "nextPageToken,files(id,name,mimeType,size,parents,sha256Checksum,owners(permissionId,displayName,emailAddress),createdTime,modifiedTime,webViewLink,trashed,properties)";

pub(crate) async fn run(given: &Given) -> Result<()> {
    match given.text("variant") {
        "serve" => serve(given.number("items").expect("--items")).await,
        "ours" => {
            let app = ProviderApp {
                provider: "google".into(),
                client_id: "client".into(),
                redirect_uri: "http://127.0.0.1/callback".into(),
                development_endpoint: Some(given.text("url").into()),
                ..ProviderApp::default()
            };
            let atom = Atom::builder(format!("sqlite:{}", given.text("db"))).key(key()?).provider(app).open().await?;
            let connection = accounts(&atom).await?.remove(0);
            measure(given, || ours(&connection)).await;
            atom.shut_down().await
        }
        _ => {
            rustls::crypto::ring::default_provider().install_default().expect("the first one");
            let client = reqwest::Client::builder().no_proxy().build().expect("a client");
            measure(given, || plain(&client, given.text("url"))).await;
            Ok(())
        }
    }
}

/// What is taken of every file.
#[derive(Default)]
struct Seen {
    items: usize,
    bytes: i64,
    letters: usize,
}

async fn measure<F: Future<Output = Seen>>(given: &Given, list: impl Fn() -> F) {
    list().await;
    let (begin, mut seen) = (cpu(), Seen::default());
    let rounds: usize = given.number("lists").expect("--lists");
    for _ in 0..rounds {
        let list = list().await;
        seen = Seen { items: seen.items + list.items, ..list };
    }
    let cpu = cpu() - begin;
    line(&json!({"items": seen.items, "cpu": cpu.as_secs_f64(), "bytes": seen.bytes, "letters": seen.letters}).to_string());
}

/// The processor time of this process so far.
fn cpu() -> Duration {
    let stat = std::fs::read_to_string("/proc/self/stat").expect("Linux");
    let after_name = stat.rsplit_once(')').expect("a name in brackets").1;
    let ticks: u64 = after_name.split_whitespace().skip(11).take(2).map(|ticks| ticks.parse::<u64>().expect("a number")).sum();
    // USER_HZ is 100 on every architecture that Linux has today.
    Duration::from_millis(ticks * 10)
}

async fn ours(connection: &Connection) -> Seen {
    let (mut seen, mut cursor) = (Seen::default(), None);
    loop {
        let filter = ListFiles { page_size: Some(1000), cursor, ..ListFiles::default() };
        let page = connection.files().list(filter).await.expect("a page");
        for file in &page.items {
            seen.items += 1;
            seen.bytes += file.size.unwrap_or_default();
            seen.letters += file.name.len() + file.id.len();
        }
        cursor = page.next_cursor;
        if cursor.is_none() {
            return seen;
        }
    }
}

/// A file as one would declare it by hand.
#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
#[allow(dead_code)] // all of it is read from the answer, and little is looked at
struct PlainFile {
    id: String,
    name: String,
    mime_type: Option<String>,
    size: Option<String>,
    #[serde(default)]
    parents: Vec<String>,
    sha256_checksum: Option<String>,
    #[serde(default)]
    owners: Vec<PlainOwner>,
    created_time: Option<String>,
    modified_time: Option<String>,
    web_view_link: Option<String>,
    #[serde(default)]
    trashed: bool,
    properties: Option<HashMap<String, String>>,
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
#[allow(dead_code)]
struct PlainOwner {
    permission_id: String,
    display_name: Option<String>,
    email_address: Option<String>,
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct PlainPage {
    files: Vec<PlainFile>,
    next_page_token: Option<String>,
}

async fn plain(client: &reqwest::Client, url: &str) -> Seen {
    let (mut seen, mut token) = (Seen::default(), None::<String>);
    loop {
        let mut address = reqwest::Url::parse(url).expect("an address").join("/drive/v3/files").expect("an address");
        address.query_pairs_mut().append_pair("pageSize", "1000").append_pair("fields", FIELDS);
        if let Some(token) = &token {
            address.query_pairs_mut().append_pair("pageToken", token);
        }
        let answer = client.get(address).bearer_auth("token").send().await.expect("an answer");
        let page: PlainPage = serde_json::from_slice(&answer.bytes().await.expect("a body")).expect("a page");
        for file in &page.files {
            seen.items += 1;
            seen.bytes += file.size.as_ref().map_or(0, |size| size.parse::<i64>().expect("a number"));
            seen.letters += file.name.len() + file.id.len();
        }
        token = page.next_page_token;
        if token.is_none() {
            return seen;
        }
    }
}

/// Answers as Google Drive does, with pages that were written before. The first line says where.
async fn serve(items: usize) -> Result<()> {
    let pages: Vec<String> = (0..items.div_ceil(PAGE)).map(|page| page_of(page, items)).collect();
    let routes = Router::new().route("/drive/v3/files", get(page)).with_state(Arc::new(pages));
    let listener = tokio::net::TcpListener::bind("127.0.0.1:0").await.expect("a port");
    line(&format!("http://{}", listener.local_addr().expect("an address")));
    axum::serve(listener, routes).await.expect("it serves until it is ended");
    Ok(())
}

async fn page(State(pages): State<Arc<Vec<String>>>, Query(query): Query<HashMap<String, String>>) -> Response {
    let at: usize = query.get("pageToken").map_or(0, |token| token.trim_start_matches('~').parse().expect("our own token"));
    ([(CONTENT_TYPE, "application/json; charset=UTF-8")], pages[at].clone()).into_response()
}

fn page_of(page: usize, items: usize) -> String {
    let end = items.min((page + 1) * PAGE);
    let files: Vec<_> = (page * PAGE..end).map(file).collect();
    let mut body = json!({ "files": files });
    if end < items {
        body["nextPageToken"] = format!("~{}", page + 1).into();
    }
    serde_json::to_string_pretty(&body).expect("JSON")
}

fn file(number: usize) -> serde_json::Value {
    let id = format!("1AbCdEfGhIjKlMnOpQrStUvWxY{number:07}");
    json!({
        "id": id,
        "name": format!("Minutes of the {number}th meeting – draft.docx"),
        "mimeType": "application/vnd.openxmlformats-officedocument.wordprocessingml.document",
        "size": (20_000 + number * 37).to_string(),
        "parents": ["0AFoLdErOfAlLmInUtEsUk9PVA"],
        "sha256Checksum": format!("{number:064x}"),
        "owners": [{"permissionId": "05467489123876451029", "displayName": "Ada Lovelace", "emailAddress": "ada@gmail.example"}],
        "createdTime": "2026-11-02T08:15:30.123Z",
        "modifiedTime": "2026-11-21T17:45:01.456Z",
        "webViewLink": format!("https://docs.google.com/document/d/{id}/edit?usp=drivesdk"),
        "trashed": false,
        "properties": {"department": "records", "number": number.to_string()},
    })
}
