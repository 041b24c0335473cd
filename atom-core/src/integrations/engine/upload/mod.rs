//! Content in pieces, which can go on after a failure, and in another process.
//!
//! [`Upload`] cuts what is written into the vendor's pieces; [`address`] and [`steps`] send one and ask how far the vendor came. What another
//! process needs is the [`Progress`], which is given out sealed ([`state`]).

mod address;
mod state;
mod steps;

use super::call::{self, Call};
use super::send::backoff;
use super::text::Vendor;
use crate::connect::Connection;
use crate::http_client::Response;
use crate::integrations::failure;
use crate::providers::{Pieces, Session, Vars};
use crate::{Error, ErrorKind, Result};
use serde::de::DeserializeOwned;
use serde::{Deserialize, Serialize};
use serde_json::{Map, Value};
use sha1::digest::common::hazmat::SerializableState;
use sha1::{Digest, Sha1};
use std::time::Duration;

const UPLOAD: &str = "files.upload";
/// How often one piece is tried.
const ATTEMPTS: u32 = 5;
/// A provider that asks for a longer wait gets it from the caller.
const LONGEST_WAIT: Duration = Duration::from_secs(10);

/// An upload of a file, as far as it came.
pub(crate) struct Upload {
    connection: Connection,
    progress: Progress,
    /// Written, and not at the vendor yet: never more than one piece.
    buffer: Vec<u8>,
}

/// How far it came.
#[derive(Serialize, Deserialize)]
struct Progress {
    input: Map<String, Value>,
    size: usize,
    piece: usize,
    /// Where the first byte of the buffer belongs.
    offset: usize,
    /// How much the vendor has: more, where it had got pieces whose answers were lost.
    known: usize,
    /// The address of the session, or its id.
    session: String,
    /// What the vendor said of each piece, for the end.
    parts: Vec<Value>,
    /// SHA-1 of all bytes before `offset`, where the vendor wants it.
    digest: Vec<u8>,
    /// The vendor's record, after the last piece.
    record: Option<Vendor>,
}

/// What a piece came to.
enum Sent {
    /// The vendor has so many bytes.
    Until(usize),
    Finished(Vendor),
}

/// The session of a provider for uploads.
///
/// Fails with `unsupported` (`no_upload_session`).
fn session<'a>(call: &Call<'a>) -> Result<&'a Session> {
    call.operation.session.as_ref().ok_or_else(|| {
        let manifest = call.manifest();
        let text = format!("{} takes files as a whole only: use `upload`", manifest.title);
        Error::new(ErrorKind::Unsupported, "no_upload_session", text).with_provider(&manifest.name)
    })
}

/// Whether content of this length goes through a session.
pub(crate) async fn is_long(connection: &Connection, input: &impl Serialize, length: usize) -> Result<bool> {
    let call = Call::new(connection, UPLOAD, &without_size(input)?).await?;
    Ok(call.operation.session.as_ref().is_some_and(|session| length > session.above))
}

impl Upload {
    pub(crate) async fn begin(connection: &Connection, input: &impl Serialize, size: i64) -> Result<Self> {
        let size = usize::try_from(size).ok().filter(|size| *size > 0);
        let size = size.ok_or_else(|| Error::invalid("malformed_size", "say the file's size in bytes, at least 1"))?;
        let input = without_size(input)?;
        let call = Call::new(connection, UPLOAD, &input).await?;
        let session = session(&call)?;
        let answer = call.step(&session.begin, sized(size)).answer().await?;
        let missing = || call.malformed("no session");
        let place = match &session.pieces {
            Pieces::Url { header: Some(header), .. } => {
                answer.headers.get(header).and_then(|value| value.to_str().ok()).map(str::to_owned)
            }
            Pieces::Url { path, .. } => path.as_ref().and_then(|path| path.text(&answer.document)),
            Pieces::Steps { session, .. } => session.text(&answer.document),
        };
        let told = session.piece_path.as_ref().and_then(|path| path.text(&answer.document)?.parse().ok());
        let progress = Progress {
            input,
            size,
            piece: told.filter(|told| *told > 0).unwrap_or(session.piece),
            offset: 0,
            known: 0,
            session: place.ok_or_else(missing)?,
            parts: Vec::new(),
            digest: if wants_digest(session) { Sha1::new().serialize().to_vec() } else { Vec::new() },
            record: None,
        };
        if let Pieces::Url { authenticated, .. } = &session.pieces {
            address::resolve(&call, &progress.session, *authenticated)?;
        }
        Ok(Self { connection: connection.clone(), progress, buffer: Vec::new() })
    }

    /// The same in another process, from its state.
    pub(crate) async fn resume(connection: &Connection, state: &str) -> Result<Self> {
        let mut progress = state::open(connection, state).await?;
        let call = Call::new(connection, UPLOAD, &progress.input).await?;
        let session = session(&call)?;
        let begin = call.step(&session.begin, sized(progress.size));
        connection.permits(&begin.request()?).await?;
        if progress.record.is_none() && matches!(session.pieces, Pieces::Url { .. }) {
            match ask(&call, session, &mut progress).await? {
                Sent::Until(known) => (progress.offset, progress.known) = (known, known),
                Sent::Finished(record) => progress.finish(record),
            }
        }
        Ok(Self { connection: connection.clone(), progress, buffer: Vec::new() })
    }

    pub(crate) async fn state(&self) -> Result<String> {
        state::seal(&self.connection, &self.progress).await
    }

    /// Where to go on.
    pub(crate) fn offset(&self) -> usize {
        self.progress.offset
    }

    /// Takes content, and sends each piece that is full.
    pub(crate) async fn write(&mut self, mut content: &[u8]) -> Result<()> {
        if content.len() > self.progress.size - self.progress.offset - self.buffer.len() {
            let text = "more is written than the size that was said when the upload began: begin again with the right size";
            return Err(Error::invalid("upload_too_long", text));
        }
        while !content.is_empty() {
            let room = self.progress.piece - self.buffer.len();
            let (now, later) = content.split_at(room.min(content.len()));
            self.buffer.extend_from_slice(now);
            content = later;
            if let Err(error) = self.flush().await {
                // Nothing of what did not fit is lost in silence: the caller goes on at `offset`.
                self.buffer.clear();
                return Err(error);
            }
        }
        Ok(())
    }

    /// Sends what is a whole piece, or the last one.
    async fn flush(&mut self) -> Result<()> {
        loop {
            let ahead = self.progress.known.saturating_sub(self.progress.offset).min(self.buffer.len());
            self.accept(ahead)?;
            let is_last = self.progress.offset + self.buffer.len() == self.progress.size;
            if self.buffer.is_empty() || (self.buffer.len() < self.progress.piece && !is_last) {
                return Ok(());
            }
            self.send().await?;
        }
    }

    /// Sends one piece, and again from wherever the vendor came to.
    async fn send(&mut self) -> Result<()> {
        let call = Call::new(&self.connection, UPLOAD, &self.progress.input).await?;
        let session = session(&call)?;
        let mut attempt = 1;
        loop {
            let sent = match &session.pieces {
                Pieces::Url { authenticated, missing, .. } => {
                    address::put(&call, &self.progress, &self.buffer, *authenticated, missing.as_ref()).await
                }
                Pieces::Steps { .. } => steps::append(&call, session, &mut self.progress, &self.buffer).await,
            };
            let failed = match sent {
                Ok(Sent::Until(known)) if known > self.progress.offset => {
                    self.progress.known = known;
                    return Ok(());
                }
                Ok(Sent::Finished(record)) => {
                    self.progress.finish(record);
                    self.buffer.clear();
                    return Ok(());
                }
                Ok(Sent::Until(known)) if known < self.progress.offset => return Err(lost(&call)),
                Ok(Sent::Until(_)) => stalled(&call),
                Err(failed) => failed,
            };
            let wait = failed.retry_after().unwrap_or_else(|| backoff(attempt));
            if !failed.is_retryable() || attempt >= ATTEMPTS || wait > LONGEST_WAIT {
                return Err(failed);
            }
            tokio::time::sleep(wait).await;
            attempt += 1;
            match ask(&call, session, &mut self.progress).await {
                Ok(Sent::Finished(record)) => {
                    self.progress.finish(record);
                    self.buffer.clear();
                    return Ok(());
                }
                Ok(Sent::Until(known)) if known > self.progress.offset => {
                    self.progress.known = known;
                    return Ok(());
                }
                Ok(Sent::Until(known)) if known < self.progress.offset => return Err(lost(&call)),
                Ok(Sent::Until(_)) => {}
                Err(error) if error.is_retryable() => {}
                Err(error) => return Err(error),
            }
        }
    }

    /// The vendor has so many bytes of the buffer.
    fn accept(&mut self, count: usize) -> Result<()> {
        if !self.progress.digest.is_empty() {
            let mut digest = digest(&self.progress)?;
            digest.update(&self.buffer[..count]);
            self.progress.digest = digest.serialize().to_vec();
        }
        self.buffer.drain(..count);
        self.progress.offset += count;
        Ok(())
    }

    /// Makes a file of what was sent.
    pub(crate) async fn finish<T: DeserializeOwned>(&mut self) -> Result<T> {
        self.flush().await?;
        let left = self.progress.size - self.progress.offset - self.buffer.len();
        if left > 0 {
            let text = format!("{left} bytes of the size that was said are missing: write them first, or `abort`");
            return Err(Error::invalid("upload_incomplete", text));
        }
        let call = Call::new(&self.connection, UPLOAD, &self.progress.input).await?;
        let session = session(&call)?;
        let record = match (self.progress.record.take(), &session.pieces) {
            (Some(record), _) => record,
            (None, Pieces::Steps { .. }) => steps::finish(&call, session, &self.progress).await?,
            (None, Pieces::Url { .. }) => match ask(&call, session, &mut self.progress).await? {
                Sent::Finished(record) => record,
                Sent::Until(_) => return Err(call.malformed("no file after the last piece")),
            },
        };
        call.typed_one(self.progress.record.insert(record))
    }

    /// Has the vendor forget what it got. A session that is gone already is fine.
    pub(crate) async fn abort(&mut self) -> Result<()> {
        self.buffer.clear();
        let call = Call::new(&self.connection, UPLOAD, &self.progress.input).await?;
        let session = session(&call)?;
        let ended = match (&session.abort, &session.pieces) {
            (Some(step), _) => call.step(step, self.progress.vars()).answer().await.map(drop),
            (None, Pieces::Url { authenticated, .. }) => address::abort(&call, &self.progress, *authenticated).await,
            (None, Pieces::Steps { .. }) => Ok(()),
        };
        ended.or_else(|error| if error.kind() == ErrorKind::NotFound { Ok(()) } else { Err(error) })
    }
}

impl Progress {
    fn vars(&self) -> Vars {
        let mut vars = sized(self.size);
        vars.insert("session".into(), self.session.as_str().into());
        vars.insert("offset".into(), self.offset.into());
        vars.insert("count".into(), self.parts.len().into());
        vars
    }

    fn finish(&mut self, record: Vendor) {
        (self.offset, self.known, self.record) = (self.size, self.size, Some(record));
    }
}

/// Asks how far the vendor came; what it cannot be asked is taken as it is known.
async fn ask(call: &Call<'_>, session: &Session, progress: &mut Progress) -> Result<Sent> {
    match &session.pieces {
        Pieces::Url { authenticated, missing, .. } => address::ask(call, progress, *authenticated, missing.as_ref()).await,
        Pieces::Steps { list, .. } => match list {
            Some(list) => steps::list(call, list, progress).await,
            None => Ok(Sent::Until(progress.offset)),
        },
    }
}

/// The inputs of the operation itself, which is not told the size.
fn without_size(input: &impl Serialize) -> Result<Map<String, Value>> {
    let mut input = call::object(input)?;
    input.remove("size");
    Ok(input)
}

fn sized(size: usize) -> Vars {
    Map::from_iter([("size".to_owned(), size.into())])
}

/// Whoever has parts described at the end wants a digest of the whole, too.
fn wants_digest(session: &Session) -> bool {
    matches!(session.pieces, Pieces::Steps { part: Some(_), .. })
}

fn digest(progress: &Progress) -> Result<Sha1> {
    let state = progress.digest.as_slice().try_into().ok().and_then(|state| Sha1::deserialize(state).ok());
    state.ok_or_else(state::malformed)
}

/// What a refusal means here: a session that is not found has ended.
fn refused(call: &Call<'_>, answer: &Response) -> Error {
    let error = failure::classify(call.manifest(), &call.operation.vendor_op, answer);
    if error.kind() == ErrorKind::NotFound { expired(call) } else { error }
}

fn expired(call: &Call<'_>) -> Error {
    let manifest = call.manifest();
    let text =
        format!("{} no longer knows this upload: look whether the file is there, and begin again if it is not", manifest.title);
    Error::new(ErrorKind::NotFound, "upload_expired", text).with_provider(&manifest.name)
}

fn stalled(call: &Call<'_>) -> Error {
    let text = "the provider took nothing of a piece: call again";
    Error::unavailable("upload_stalled", text).with_provider(&call.manifest().name)
}

fn lost(call: &Call<'_>) -> Error {
    let manifest = call.manifest();
    let text = format!("{} has lost a part of this upload: begin again", manifest.title);
    Error::new(ErrorKind::NotFound, "upload_expired", text).with_provider(&manifest.name)
}
