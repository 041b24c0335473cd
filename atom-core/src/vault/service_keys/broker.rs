//! A call on the caller's behalf, with a key that they do not see.

use super::{ServiceKeys, check_unexpired, hosts, store, usage, value};
use crate::vault::policies;
use crate::{Error, RawRequest, RawResponse, Result, ServiceKeyId};

pub(super) async fn run(keys: &ServiceKeys, id: ServiceKeyId, request: RawRequest) -> Result<RawResponse> {
    let (inner, workspace, now) = (&keys.inner, keys.principal.workspace_id, keys.inner.now());
    let key = store::get(inner.db()?, &keys.principal, id).await?;
    check_unexpired(&key, now)?;
    let request = request.into_request(key.placement.header().as_ref())?;
    policies::check_request(inner, &keys.principal, key.target(), &request).await?;
    hosts::check(&key, &request.url)?;
    inner.egress.admit(&request.url).map_err(|e| e.with_provider(&key.service))?;
    let values = value::load(inner, workspace, id, now).await?;
    let mut last = None;
    for value in &values {
        let mut request = request.clone();
        key.placement.put(&mut request, value)?;
        if last.is_none() {
            usage::count(inner, &keys.principal, id, now);
        }
        let answer = inner.egress.send(request).await.map_err(|e| e.with_provider(&key.service))?;
        let is_refused = answer.status == 401;
        // What an older value got is of interest only if it was let in.
        if last.is_none() || !is_refused {
            last = Some(answer);
        }
        if !is_refused {
            break;
        }
    }
    let mut answer = last.ok_or_else(|| Error::not_found("service key"))?;
    for value in &values {
        key.placement.cut(&mut answer, value);
    }
    Ok(answer.into())
}
