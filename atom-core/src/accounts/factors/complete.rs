//! From a pending sign-in and a second factor to a session.

use super::FactorKind;
use super::check::{Asked, check_recovery_code, check_totp};
use super::pending::{self, Pending};
use crate::accounts::SignInMethod;
use crate::accounts::sign_in::{self, SignIn, workspace_of};
use crate::atom::Inner;
use crate::{Result, Secret};
use std::sync::Arc;

pub(in crate::accounts) async fn with_totp(inner: &Arc<Inner>, token: Secret, code: &Secret) -> Result<SignIn> {
    let pending = pending::find(inner, token).await?;
    pending.check_kind(inner, FactorKind::Totp).await?;
    check_totp(inner, pending.user().id, Asked::Pending(&pending), code).await?;
    finish(inner, pending, SignInMethod::Totp).await
}

pub(in crate::accounts) async fn with_recovery_code(inner: &Arc<Inner>, token: Secret, code: &Secret) -> Result<SignIn> {
    let pending = pending::find(inner, token).await?;
    pending.check_kind(inner, FactorKind::RecoveryCode).await?;
    let workspace = workspace_of(inner, &pending.proved).await?;
    check_recovery_code(inner, pending.user().id, workspace, Asked::Pending(&pending), code).await?;
    finish(inner, pending, SignInMethod::RecoveryCode).await
}

/// Begins the session, for one caller.
pub(super) async fn finish(inner: &Arc<Inner>, pending: Pending, factor: SignInMethod) -> Result<SignIn> {
    let proved = pending.consume(inner).await?;
    sign_in::begin_session(inner, proved, Some(factor)).await
}
