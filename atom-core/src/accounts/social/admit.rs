//! Whose account a person gets into: the one of their identity, never that of an address alone.
//!
//! | the provider's word for the address | the account with it | what happens |
//! | --- | --- | --- |
//! | | none | a new account |
//! | believed | verified | linked |
//! | believed | not verified | adopted: whoever made it loses it |
//! | not believed | any | `link_required` |

use super::flow::Pending;
use super::person::Person;
use super::{adopt, link, new_account, store};
use crate::accounts::sign_in::{Proved, complete};
use crate::accounts::{Client, SignIn, SignInMethod, User, email, store as accounts};
use crate::atom::Inner;
use crate::{Error, ErrorKind, Result};
use std::sync::Arc;

/// How many times it is looked again because another sign-in of the same person was faster.
const ATTEMPTS: usize = 3;

pub(super) async fn run(inner: &Arc<Inner>, person: Person, pending: Pending, client: Option<Client>) -> Result<SignIn> {
    for _ in 0..ATTEMPTS {
        let admitted = match user(inner, &person, &pending).await {
            Err(error) if error.kind() == ErrorKind::Conflict => continue,
            admitted => admitted?,
        };
        return match admitted {
            Admitted::In { user, workspace_id } => {
                let method = SignInMethod::Social;
                complete(inner, Proved { user, method, workspace_id, client, is_known_device: false }).await
            }
            Admitted::Link(user) => Ok(SignIn::LinkRequired { pending: link::pending(inner, person, &user).await? }),
        };
    }
    Err(disabled())
}

enum Admitted {
    In { user: User, workspace_id: Option<crate::WorkspaceId> },
    Link(User),
}

async fn user(inner: &Arc<Inner>, person: &Person, pending: &Pending) -> Result<Admitted> {
    let (db, workspace_id) = (inner.db()?, pending.workspace_id);
    if let Some(identity) = store::find(db, person).await? {
        let user = accounts::user(db, identity.user_id).await?.ok_or_else(disabled)?.into_user();
        store::touch(db, identity.id, person, inner.now()).await?;
        return Ok(Admitted::In { user, workspace_id });
    }
    let told = person.email.as_deref().ok_or_else(|| {
        let text = "the provider did not tell an address: let the user sign up otherwise, and link this account then";
        Error::invalid("email_missing", text).with_provider(&person.provider)
    })?;
    let canonical = email::canonical(told)?;
    let Some(found) = accounts::user_by_email(db, &canonical).await? else {
        if !inner.social.sign_up {
            let text = "nobody has signed up with this account: sign up otherwise first, or ask for an invitation";
            return Err(Error::new(ErrorKind::Forbidden, "sign_up_closed", text).with_provider(&person.provider));
        }
        let user = new_account::run(inner, person, &canonical, pending.locale.as_deref()).await?;
        return Ok(Admitted::In { user, workspace_id: None });
    };
    let user = found.into_user();
    if !person.is_email_trusted || !inner.social.implicit_linking {
        return Ok(Admitted::Link(user));
    }
    let user =
        if user.email_verified { link::implicit(inner, person, user).await? } else { adopt::run(inner, person, user).await? };
    Ok(Admitted::In { user, workspace_id })
}

fn disabled() -> Error {
    Error::new(ErrorKind::Forbidden, "account_disabled", "this account is disabled: ask whoever runs the application")
}
