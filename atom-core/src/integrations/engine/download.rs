//! Bytes of any length, piece by piece.

use super::call::Call;
use crate::connect::{Connection, Meter};
use crate::http_client;
use crate::providers::Answer;
use crate::{Bytes, Error, ErrorKind, Json, Result};
use atom_macros::{api, handle};
use std::sync::Arc;
use std::time::Duration;
use tokio::sync::Mutex;

/// How long the vendor may take for the next piece.
const IDLE: Duration = Duration::from_secs(60);

/// The content of a file as it arrives, in pieces of a few kilobytes, and of any length.
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
/// let content = connection.download("files.download".into(), Json(serde_json::json!({ "id": file.id }))).await?;
/// let mut length = 0;
/// while let Some(piece) = content.next().await? {
///     length += piece.0.len();
/// }
/// assert_eq!(length, 5);
/// # Ok::<(), atom_core::Error>(()) }).unwrap();
/// ```
#[handle]
pub struct ByteStream {
    shared: Arc<Mutex<Option<reqwest::Response>>>,
}

/// Begins a download.
pub(crate) async fn open(connection: &Connection, operation: &str, input: &Json) -> Result<ByteStream> {
    let call = Call::new(connection, operation, &input.0).await?;
    if call.operation.answer != Answer::Bytes || call.operation.hook.is_some() {
        let manifest = call.manifest();
        let text = format!("`{operation}` of {} gives no bytes that could be streamed: use `call`", manifest.title);
        return Err(Error::new(ErrorKind::Unsupported, "no_bytes", text).with_provider(&manifest.name));
    }
    let turn = call.budget().turn().await.map_err(|wait| call.over_budget(wait))?;
    let mut meter = Meter::begin(connection, call.operation.vendor_op.clone());
    let opened = connection.open(call.token_set(), &call.facts, call.request()?, &mut meter).await;
    let answer = meter.end_with(opened)?;
    let answer = call.follow_open(answer).await?;
    drop(turn);
    if !answer.status().is_success() {
        let refused = http_client::read(answer).await?;
        call.observe(&call.budget(), &refused);
        return Err(call.read(refused).err().unwrap_or_else(|| call.malformed("a refusal that is none")));
    }
    Ok(ByteStream { shared: Arc::new(Mutex::new(Some(answer))) })
}

#[api]
impl ByteStream {
    /// The next piece; none after the last.
    ///
    /// Fails with `unavailable` (`timeout`, `broken_answer`): what came before is not the whole, begin again.
    pub async fn next(&self) -> Result<Option<Bytes>> {
        let mut answer = self.shared.lock().await;
        let Some(open) = answer.as_mut() else { return Ok(None) };
        let piece = tokio::time::timeout(IDLE, open.chunk()).await;
        let late = |_| Error::unavailable("timeout", "the rest did not arrive in time: begin the download again");
        let piece = piece.map_err(late).and_then(|piece| piece.map_err(http_client::unreachable));
        match piece {
            Ok(Some(piece)) => Ok(Some(Bytes(piece.to_vec()))),
            ended => {
                *answer = None;
                ended.map(|_| None)
            }
        }
    }
}
