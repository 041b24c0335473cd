//! A password or a passkey was right, or an account at a provider is the user's, and the address is still to be proved.
//! Whoever has a second factor and has not shown it yet shows it after that.

use super::{Proved, SignIn, complete};
use crate::accounts::email_proof::{self, EmailProof, Intent, NewFlow, Shown};
use crate::accounts::store::{self, UserRow};
use crate::accounts::{Client, Ground, SignInMethod, User, email, mail_limits, verified};
use crate::atom::Inner;
use crate::{Result, WorkspaceId};
use std::sync::Arc;

/// Instead of a session: mails a code, and says with what to show it.
pub(in crate::accounts) async fn begin(
    inner: &Arc<Inner>,
    user: &User,
    method: SignInMethod,
    workspace_id: Option<WorkspaceId>,
) -> Result<SignIn> {
    mail_limits::count_for_user(inner, user.id).await?;
    let new = NewFlow { method: Some(method), workspace_id, ..NewFlow::of(Intent::FinishSignIn, user) };
    Ok(SignIn::VerificationRequired { pending: email_proof::begin(inner, new).await?.into() })
}

pub(in crate::accounts) async fn run(inner: &Arc<Inner>, proof: EmailProof) -> Result<SignIn> {
    let EmailProof { flow_token, code, workspace_id, client } = proof;
    let client = client.map(Client::canonical).transpose()?.flatten();
    let shown = Shown { intent: Intent::FinishSignIn, flow: Some(&flow_token), code: &code, user: None };
    let pending = email_proof::take(inner, shown).await?;
    let db = inner.db()?;
    let user = store::user_by_email(db, &email::identifier(&pending.email)).await?.map(UserRow::into_user);
    let user = user.filter(|user| Some(user.id) == pending.user_id).ok_or_else(email_proof::spent)?;
    let user = match store::membership(db, user.id, None).await? {
        Some((workspace, _)) => verified::mark(inner, user, workspace.id, None).await?,
        None => user,
    };
    let workspace_id = workspace_id.or(pending.workspace_id);
    let (method, ground) = (pending.method.unwrap_or(SignInMethod::Password), Ground::address(&pending.email));
    complete(inner, Proved { user, method, ground, workspace_id, client, is_known_device: false }).await
}
