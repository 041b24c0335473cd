//! Pieces that are put to an address: Google's resumable uploads, Microsoft's upload sessions.

use super::super::call::Call;
use super::{Progress, Sent, refused};
use crate::http_client::{Request, Response};
use crate::providers::Path;
use crate::{Error, Result};
use reqwest::Method;
use reqwest::header::{CONTENT_RANGE, HeaderMap, HeaderValue, RANGE};
use serde_json::Value;
use std::time::Duration;
use url::Url;

const TIMEOUT: Duration = Duration::from_secs(300);

/// Where a session's address leads: to one of the provider's hosts, and nowhere else.
pub(super) fn resolve(call: &Call<'_>, url: &str, authenticated: bool) -> Result<Url> {
    let url = Url::parse(url).map_err(|_| call.malformed("an address of an upload that is none"))?;
    let app = &call.connection.app;
    if authenticated { app.resolve(&url, &call.facts) } else { app.resolve_upload(&url) }
}

pub(super) async fn put(
    call: &Call<'_>,
    progress: &Progress,
    piece: &[u8],
    authenticated: bool,
    missing: Option<&Path>,
) -> Result<Sent> {
    let (from, last) = (progress.offset, progress.offset + piece.len() - 1);
    let range = format!("bytes {from}-{last}/{}", progress.size);
    let answer = send(call, progress, authenticated, Method::PUT, Some(range), piece.to_vec()).await?;
    // 416: the vendor has it already.
    if answer.status == 416 { ask(call, progress, authenticated, missing).await } else { read(call, progress, &answer, missing) }
}

/// Asks how far the vendor came.
pub(super) async fn ask(call: &Call<'_>, progress: &Progress, authenticated: bool, missing: Option<&Path>) -> Result<Sent> {
    let answer = match missing {
        Some(_) => send(call, progress, authenticated, Method::GET, None, Vec::new()).await?,
        None => {
            let range = Some(format!("bytes */{}", progress.size));
            send(call, progress, authenticated, Method::PUT, range, Vec::new()).await?
        }
    };
    read(call, progress, &answer, missing)
}

pub(super) async fn abort(call: &Call<'_>, progress: &Progress, authenticated: bool) -> Result<()> {
    let answer = send(call, progress, authenticated, Method::DELETE, None, Vec::new()).await?;
    // 499 is how Google says that it was cancelled.
    if matches!(answer.status, 200..=299 | 499) { Ok(()) } else { Err(refused(call, &answer)) }
}

async fn send(
    call: &Call<'_>,
    progress: &Progress,
    authenticated: bool,
    method: Method,
    range: Option<String>,
    body: Vec<u8>,
) -> Result<Response> {
    let url = resolve(call, &progress.session, authenticated)?;
    let mut headers = HeaderMap::new();
    if let Some(range) = range {
        let range = HeaderValue::from_str(&range);
        headers.insert(CONTENT_RANGE, range.map_err(|e| Error::internal("range", "a range is ASCII").with_source(e))?);
    }
    let request = Request { method, url, headers, body, timeout: TIMEOUT };
    call.exchange(request, authenticated).await
}

/// What an answer says of the upload.
fn read(call: &Call<'_>, progress: &Progress, answer: &Response, missing: Option<&Path>) -> Result<Sent> {
    let document: Value = serde_json::from_slice(&answer.body).unwrap_or_default();
    let until = match (answer.status, missing) {
        (308, None) => {
            // Without the header there is nothing yet.
            let range = answer.headers.get(RANGE).and_then(|value| value.to_str().ok());
            range.map_or(Some(0), |range| range.rsplit('-').next()?.trim().parse::<usize>().ok()?.checked_add(1))
        }
        (200..=299, Some(missing)) if missing.get(&document).is_some() => {
            let range = missing.text(&document);
            range.and_then(|range| range.split('-').next()?.trim().parse().ok())
        }
        (200 | 201, _) => return Ok(Sent::Finished(serde_json::from_slice(&answer.body).unwrap_or_default())),
        _ => return Err(refused(call, answer)),
    };
    let until = until.filter(|until| *until <= progress.size);
    until.map(Sent::Until).ok_or_else(|| call.malformed("a place in the content that it does not have"))
}
