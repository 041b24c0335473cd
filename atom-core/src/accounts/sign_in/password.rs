//! Sign in with e-mail and password.

use super::{Proved, SignIn, complete, verify};
use crate::accounts::throttle::{self, Attempt};
use crate::accounts::{Client, Credentials, Ground, SignInMethod, email, passwords, sessions, store};
use crate::atom::Inner;
use crate::{Error, ErrorKind, Result, UserId};
use std::sync::Arc;

pub(in crate::accounts) async fn run(inner: &Arc<Inner>, credentials: Credentials) -> Result<SignIn> {
    let wrong = || Error::new(ErrorKind::Unauthenticated, "wrong_credentials", "the e-mail address or the password is wrong");
    let db = inner.db()?;
    let client = credentials.client.map(Client::canonical).transpose()?.flatten();
    // A malformed address takes the same path as an unknown one, and that the same as a known one, so that all answers look, last and count alike.
    let identifier = email::identifier(&credentials.email);
    let found = store::user_by_email(db, &identifier).await?;
    let user_id = found.as_ref().map(|user| UserId(user.id));
    let device = sessions::known_device(inner, credentials.known_device.as_ref(), user_id).await?;
    let attempt = Attempt { identifier: &identifier, client: client.as_ref(), device };
    let (is_known_device, counted) = (device.is_some(), throttle::count(inner, &attempt).await?);
    let hash = passwords::verify(inner, found.as_ref(), &credentials.password).await?;
    let (Some(user), Some(hash)) = (found, hash) else {
        counted.keep(db, inner.now()).await?;
        return Err(wrong());
    };
    counted.give_back(db).await?;
    let user = user.into_user();
    if inner.email_proofs.is_required && !user.email_verified {
        return verify::begin(inner, &user, SignInMethod::Password, credentials.workspace_id).await;
    }
    let (method, ground, workspace_id) = (SignInMethod::Password, Ground::password(&hash), credentials.workspace_id);
    let proved = Proved { user, method, ground, workspace_id, client, is_known_device };
    complete(inner, proved).await
}
