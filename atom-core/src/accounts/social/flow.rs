//! A flow: the user goes to a provider, and comes back once, in ten minutes, with the browser that left.

use super::provider::{Endpoints, Provider};
use super::{SocialFlow, SocialStart};
use crate::accounts::sign_up::check_locale;
use crate::accounts::{Client, Principal};
use crate::atom::Inner;
use crate::crypto::{INSTALLATION, Place, base64url, length_prefixed, random};
use crate::oauth::{self, Answer};
use crate::storage::once;
use crate::{Error, Result, Secret, WorkspaceId};
use chrono::TimeDelta;
use serde::{Deserialize, Serialize};
use std::sync::Arc;
use zeroize::Zeroizing;

const KIND: &str = "social_state";
/// How long the user may take.
const LIFETIME: TimeDelta = TimeDelta::minutes(10);
/// How many flows may begin in that time in one network, or where none is known.
const STARTS: i64 = 600;
/// How many one user may begin.
const LINKS: i64 = 60;

/// What must be remembered until the user comes back.
#[derive(Serialize, Deserialize)]
pub(super) struct Pending {
    provider: String,
    redirect_uri: String,
    pub(super) verifier: String,
    pub(super) nonce: String,
    pub(super) workspace_id: Option<WorkspaceId>,
    pub(super) locale: Option<String>,
}

/// A flow whose user came back.
pub(super) struct Returned {
    pub(super) provider: Arc<Provider>,
    pub(super) endpoints: Arc<Endpoints>,
    pub(super) pending: Pending,
    pub(super) answer: Answer,
}

/// Who may end a flow: whoever holds its token, and if somebody links, in the session that began.
fn binding(flow_token: &Secret, principal: Option<&Principal>) -> Vec<u8> {
    let session = principal.and_then(|principal| principal.session_id);
    let user = principal.map(|principal| principal.user_id);
    let (session, user) = (session.map(|id| id.0.into_bytes()), user.map(|id| id.0.into_bytes()));
    let bytes = |id: &Option<[u8; 16]>| id.map(|id| id.to_vec()).unwrap_or_default();
    length_prefixed([&b"social"[..], flow_token.expose().as_bytes(), &bytes(&user), &bytes(&session)])
}

/// The place of a sealed [`Pending`].
fn place(state: &[u8]) -> Place<'_> {
    Place { workspace: INSTALLATION, table: "atom_single_use", row: state, field: "payload", version: 1 }
}

/// Begins a flow: to sign in, or for a user who links.
pub(super) async fn begin(inner: &Inner, start: SocialStart, principal: Option<&Principal>) -> Result<SocialFlow> {
    let (db, now) = (inner.db()?, inner.now());
    let provider = inner.sign_in_providers.get(&start.provider)?;
    start.locale.as_deref().map(check_locale).transpose()?;
    let client = start.client.map(Client::canonical).transpose()?.flatten();
    let redirect_uri = provider.redirect_uris.choose(start.redirect_uri).map_err(|e| e.with_provider(&provider.name))?;
    let (key, most) = match (principal, client.as_ref().and_then(Client::network)) {
        (Some(principal), _) => (format!("social_link/{}", principal.user_id), LINKS),
        (None, Some(network)) => (format!("social_start/{network}"), STARTS),
        // Who is not told apart is not held up for what others do.
        (None, None) => (String::new(), i64::MAX),
    };
    if !key.is_empty() {
        once::bump_counter(db, &key, most, LIFETIME, now).await?;
    }
    let endpoints = provider.endpoints(inner).await?;
    let opened = oauth::open(endpoints.authorize.clone(), &provider.client_id, &redirect_uri, true)?;
    let (nonce, flow_token) = (base64url(random::<32>()?), Secret::from(base64url(random::<32>()?)));
    let mut url = opened.url;
    {
        let mut query = url.query_pairs_mut();
        query.append_pair("scope", &provider.scopes.join(" ")).append_pair("nonce", &nonce);
        for (name, value) in &endpoints.authorize_query {
            query.append_pair(name, value);
        }
        let more = [("login_hint", &start.login_hint), ("ui_locales", &start.locale)];
        for (name, value) in more.into_iter().filter_map(|(name, value)| Some((name, value.as_ref()?))) {
            query.append_pair(name, value);
        }
    }
    let pending = Pending {
        provider: provider.name.clone(),
        redirect_uri,
        verifier: opened.verifier.expose().to_owned(),
        nonce,
        workspace_id: start.workspace_id,
        locale: start.locale,
    };
    let plain = serde_json::to_vec(&pending).map(Zeroizing::new);
    let plain = plain.map_err(|e| Error::internal("pending_state", "a pending sign-in cannot be serialized").with_source(e))?;
    let key = opened.state.as_bytes();
    let sealed = inner.keys.seal_record(db, &place(key), &plain).await?;
    let what = once::SingleUse { kind: KIND, key, binding: &binding(&flow_token, principal) };
    once::issue(db, what, &sealed, now + LIFETIME).await?;
    Ok(SocialFlow { url: url.into(), flow_token, expires_at: now + LIFETIME })
}

/// Takes a flow, once, and only for whoever began it. Then everything that the callback says about itself is compared with what was begun; no code has been sent
/// anywhere (RFC 9700 §4.4, RFC 9207).
pub(super) async fn end(
    inner: &Inner,
    flow_token: &Secret,
    callback_url: &str,
    principal: Option<&Principal>,
) -> Result<Returned> {
    let (callback, answer) = oauth::parse(callback_url)?;
    let (db, state) = (inner.db()?, answer.get("state").ok_or_else(unknown)?);
    let what = once::SingleUse { kind: KIND, key: state.as_bytes(), binding: &binding(flow_token, principal) };
    let sealed = once::consume_once(db, what, inner.now()).await?.ok_or_else(unknown)?;
    let plain = inner.keys.open_record(db, &place(state.as_bytes()), &sealed).await?;
    let pending: Pending = serde_json::from_slice(&plain).map_err(|_| unknown())?;
    let provider = inner.sign_in_providers.get(&pending.provider)?;
    if !oauth::is_at(&callback, &pending.redirect_uri) {
        let text = "the callback came to another URL than the one that was begun: start again";
        return Err(Error::invalid("wrong_redirect_uri", text));
    }
    let endpoints = provider.endpoints(inner).await?;
    let named = |e: Error| e.with_provider(&provider.name);
    oauth::check_issuer(endpoints.callback_issuer.as_deref(), endpoints.names_itself, &answer).map_err(named)?;
    if let Some(error) = answer.get("error") {
        return Err(named(oauth::declined(error)));
    }
    Ok(Returned { provider, endpoints, pending, answer })
}

impl Returned {
    pub(super) fn redirect_uri(&self) -> &str {
        &self.pending.redirect_uri
    }
}

fn unknown() -> Error {
    let text = "this sign-in was used, has expired, or was begun in another browser: start again";
    Error::invalid("state_unknown", text)
}
