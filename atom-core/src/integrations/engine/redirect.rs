//! Content that stands elsewhere: the vendor answers with an address that is its own credential, and sees no other.

use super::call::Call;
use super::request::TIMEOUT;
use crate::Result;
use crate::http_client::{Request, Response};
use crate::providers::Answer;
use reqwest::Method;
use reqwest::header::{HeaderMap, LOCATION};

impl Call<'_> {
    /// The content that an answer leads to, or the answer itself.
    pub(super) async fn follow(&self, answer: Response) -> Result<Response> {
        match self.led_on(answer.status, &answer.headers)? {
            Some(request) => self.connection.outlet().send(request).await.map_err(|e| e.with_provider(&self.manifest().name)),
            None => Ok(answer),
        }
    }

    /// The same for content that is read piece by piece.
    pub(super) async fn follow_open(&self, answer: reqwest::Response) -> Result<reqwest::Response> {
        match self.led_on(answer.status().as_u16(), answer.headers())? {
            Some(request) => self.connection.outlet().open(request).await.map_err(|e| e.with_provider(&self.manifest().name)),
            None => Ok(answer),
        }
    }

    /// Only content is fetched from elsewhere, and only once: anything else that is moved is a refusal.
    fn led_on(&self, status: u16, headers: &HeaderMap) -> Result<Option<Request>> {
        if self.operation.answer != Answer::Bytes || !matches!(status, 301..=303 | 307 | 308) {
            return Ok(None);
        }
        let target = headers.get(LOCATION).and_then(|value| value.to_str().ok());
        let target = target.and_then(|target| self.address().ok()?.join(target).ok());
        let target = target.ok_or_else(|| self.malformed("a redirect that leads nowhere"))?;
        let url = self.connection.app.resolve_content(&target)?;
        Ok(Some(Request { method: Method::GET, url, headers: HeaderMap::new(), body: Vec::new(), timeout: TIMEOUT }))
    }
}
