//! Pieces that a request of the API takes: Dropbox's sessions with a cursor, Box's with parts and digests.

use super::super::call::Call;
use super::super::send::backoff;
use super::super::text::Vendor;
use super::{ATTEMPTS, LONGEST_WAIT, Progress, Sent, digest, refused};
use crate::http_client::Response;
use crate::integrations::failure;
use crate::providers::{Listing, Path, Pieces, Session, Vars};
use crate::{ErrorKind, Result};
use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use serde_json::Value;
use sha1::{Digest, Sha1};

pub(super) async fn append(call: &Call<'_>, session: &Session, progress: &mut Progress, piece: &[u8]) -> Result<Sent> {
    let Pieces::Steps { append, correct, part, list, .. } = &session.pieces else { return Ok(Sent::Until(progress.offset)) };
    let mut vars = progress.vars();
    vars.insert("last".into(), (progress.offset + piece.len() - 1).into());
    if !progress.digest.is_empty() {
        vars.insert("digest".into(), STANDARD.encode(Sha1::digest(piece)).into());
    }
    let mut step = call.step(append, vars);
    step.content = Some(piece.to_vec());
    let answer = step.exchange(step.request()?, true).await?;
    let document: Value = serde_json::from_slice(&answer.body).unwrap_or_default();
    if (200..300).contains(&answer.status) {
        if let Some(path) = part {
            let part = path.get(&document).cloned();
            progress.parts.push(part.ok_or_else(|| step.malformed("no part after a piece"))?);
        }
        return Ok(Sent::Until(progress.offset + piece.len()));
    }
    if let Some(until) = correct.as_ref().and_then(|path| number(path, &document)).filter(|until| *until <= progress.size) {
        return Ok(Sent::Until(until));
    }
    let error = refused(&step, &answer);
    match list {
        // The vendor has it already.
        Some(listing) if error.kind() == ErrorKind::Conflict => self::list(call, listing, progress).await,
        _ => Err(error),
    }
}

/// Asks for the parts that the vendor has and that are not known yet.
pub(super) async fn list(call: &Call<'_>, listing: &Listing, progress: &mut Progress) -> Result<Sent> {
    let step = call.step(&listing.step, progress.vars());
    let answer = step.exchange(step.request()?, true).await?;
    if !(200..300).contains(&answer.status) {
        return Err(refused(&step, &answer));
    }
    let document: Value = serde_json::from_slice(&answer.body).unwrap_or_default();
    let parts = listing.items.get(&document).and_then(Value::as_array);
    for part in parts.into_iter().flatten() {
        if !progress.parts.contains(part) {
            progress.parts.push(part.clone());
        }
    }
    let lengths = progress.parts.iter().filter_map(|part| number(&listing.length, part));
    Ok(Sent::Until(lengths.sum::<usize>().min(progress.size)))
}

/// Makes a file of the pieces; returns the vendor's record.
pub(super) async fn finish(call: &Call<'_>, session: &Session, progress: &Progress) -> Result<Vendor> {
    let Pieces::Steps { finish, .. } = &session.pieces else { return Ok(Vendor::default()) };
    let mut vars: Vars = progress.vars();
    vars.insert("parts".into(), progress.parts.clone().into());
    if !progress.digest.is_empty() {
        vars.insert("whole_digest".into(), STANDARD.encode(digest(progress)?.finalize()).into());
    }
    let mut step = call.step(finish, vars);
    step.content = Some(Vec::new());
    let mut attempt = 1;
    loop {
        let sent = step.exchange(step.request()?, true).await;
        let failed = match sent {
            // It is not put together yet.
            Ok(answer) if answer.status == 202 => not_ready(&step, &answer),
            Ok(answer) if (200..300).contains(&answer.status) => return step.take_item(&step.read(answer)?),
            Ok(answer) => refused(&step, &answer),
            Err(error) => error,
        };
        let wait = failed.retry_after().unwrap_or_else(|| backoff(attempt));
        if !failed.is_retryable() || attempt >= ATTEMPTS * 2 || wait > LONGEST_WAIT {
            return Err(failed);
        }
        tokio::time::sleep(wait).await;
        attempt += 1;
    }
}

fn not_ready(step: &Call<'_>, answer: &Response) -> crate::Error {
    let text = "the provider is still putting the file together: call `finish` again";
    let error = crate::Error::unavailable("upload_not_ready", text).with_provider(&step.manifest().name);
    error.with_retry_after(failure::wait(step.manifest(), answer))
}

fn number(path: &Path, document: &Value) -> Option<usize> {
    path.text(document)?.parse().ok()
}
