//! Operations by their names, for whoever knows them only at run time: an agent, a workflow, a host that uses the vendor's own.

use super::call::{self, Call};
use super::{page, single};
use crate::connect::Connection;
use crate::providers::Answer;
use crate::{Error, ErrorKind, Json, Result};
use atom_macros::{api, handle};
use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use serde_json::{Map, Value, json};
use std::collections::VecDeque;
use std::sync::Arc;
use tokio::sync::Mutex;

/// Carries out any operation of the provider.
pub(crate) async fn call(connection: &Connection, operation: &str, input: &Json) -> Result<Json> {
    let call = Call::new(connection, operation, &input.0).await?;
    let answer = match call.operation.answer {
        Answer::None if call.operation.fetch.is_none() => {
            call.answer().await?;
            json!({})
        }
        Answer::Bytes => json!({ "content": STANDARD.encode(call.answer().await?.body) }),
        Answer::Text => json!({ "text": String::from_utf8_lossy(&call.answer().await?.body) }),
        Answer::Json if call.is_list() => {
            let (call, items, next_cursor) = page(call).await?;
            let items: Vec<_> = items.iter().map(|item| call.untyped(item)).collect::<Result<_>>()?;
            json!({ "items": items, "next_cursor": next_cursor })
        }
        Answer::Json | Answer::None => {
            let (call, vendor) = single(call).await?;
            call.untyped(&vendor)?
        }
    };
    Ok(Json(answer))
}

/// All records of a list, page after page, as they are asked for.
///
/// ```
/// # #[cfg(feature = "testing")]
/// # tokio::runtime::Runtime::new().unwrap().block_on(async {
/// # let folder = tempfile::tempdir().unwrap();
/// # let url = format!("sqlite:{}", folder.path().join("atom.db").display());
/// # use atom_core::{Atom, Bytes, Json, LocalKey, NewAccount, NewFile, StartConnection, testing::GoogleStandIn};
/// # let google = GoogleStandIn::start().await?;
/// # let atom = Atom::builder(url).key(LocalKey::generate()?).provider(google.app()).open().await?;
/// # let account = NewAccount { email: "ada@example.com".into(), password: "an engine of brass".into(), ..Default::default() };
/// # let session = atom.accounts().sign_up(account).await?;
/// # let scope = atom.authenticate(session.access_token).await?;
/// # let start = StartConnection { provider: "google".into(), ..Default::default() };
/// # let authorization = scope.connections().start(start).await?;
/// # let callback = google.approve(authorization.url, "ada@example.com".into()).await?;
/// # let connection = scope.connections().complete(callback).await?;
/// # let file = NewFile { name: "note.txt".into(), content: Bytes::from("hello".as_bytes()), ..Default::default() };
/// # let file = connection.files().upload(file).await?;
/// let files = connection.records("files.list".into(), Json(serde_json::json!({ "page_size": 100 }))).await?;
/// while let Some(file) = files.next().await? {
///     assert_eq!(file.0["name"], "note.txt");
/// }
/// # Ok::<(), atom_core::Error>(()) }).unwrap();
/// ```
#[handle]
pub struct RecordStream {
    shared: Arc<Shared>,
}

struct Shared {
    connection: Connection,
    operation: String,
    place: Mutex<Place>,
}

/// How far the list was read.
struct Place {
    input: Map<String, Value>,
    /// Read, and not delivered yet.
    page: VecDeque<Value>,
    is_last: bool,
}

/// The records of a list.
pub(crate) async fn records(connection: &Connection, operation: &str, input: &Json) -> Result<RecordStream> {
    let call = Call::new(connection, operation, &input.0).await?;
    if !call.is_list() {
        let manifest = call.manifest();
        let text = format!("`{operation}` of {} is no list: use `call`", manifest.title);
        return Err(Error::new(ErrorKind::Unsupported, "no_list", text).with_provider(&manifest.name));
    }
    let place = Place { input: call::object(&input.0)?, page: VecDeque::new(), is_last: false };
    let shared = Shared { connection: connection.clone(), operation: operation.to_owned(), place: Mutex::new(place) };
    Ok(RecordStream { shared: Arc::new(shared) })
}

#[api]
impl RecordStream {
    /// The next record; none after the last. The next page is asked for when the one before it is used up.
    ///
    /// Fails as the operation does. After a failure that is worth a repetition the same stream goes on.
    pub async fn next(&self) -> Result<Option<Json>> {
        let shared = &self.shared;
        let mut place = shared.place.lock().await;
        loop {
            if let Some(record) = place.page.pop_front() {
                return Ok(Some(Json(record)));
            }
            if place.is_last {
                return Ok(None);
            }
            let call = Call::new(&shared.connection, &shared.operation, &place.input).await?;
            let (reader, items, next_cursor) = page(call).await?;
            place.page = items.iter().map(|item| reader.untyped(item)).collect::<Result<_>>()?;
            match next_cursor {
                Some(cursor) => drop(place.input.insert("cursor".into(), cursor.into())),
                None => place.is_last = true,
            }
        }
    }
}
