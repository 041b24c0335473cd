//! Whose account a person gets into: the one of their identity, never that of an address alone.
//!
//! | the provider's word for the address | the account with it | what happens |
//! | --- | --- | --- |
//! | | none | a new account |
//! | believed | verified | linked |
//! | believed | not verified | adopted ([`verified`]), and linked: whoever made it loses it |
//! | not believed | any | `link_required` |

use super::flow::Pending;
use super::person::Person;
use super::{link, new_account, store};
use crate::accounts::sign_in::{Proved, begin_verification, complete};
use crate::accounts::{Client, Ground, SignIn, SignInMethod, User, email, store as accounts, verified};
use crate::atom::Inner;
use crate::{Error, ErrorKind, IdentityId, Result, WorkspaceId};
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
            Admitted::In { user, identity, workspace_id } => {
                let (method, ground) = (SignInMethod::Social, Ground::Identity(identity));
                if inner.email_proofs.is_required && !user.email_verified {
                    return begin_verification(inner, &user, method, workspace_id).await;
                }
                complete(inner, Proved { user, method, ground, workspace_id, client, is_known_device: false }).await
            }
            Admitted::Link(user) => Ok(SignIn::LinkRequired { pending: link::pending(inner, person, &user).await? }),
        };
    }
    Err(disabled())
}

enum Admitted {
    In { user: User, identity: IdentityId, workspace_id: Option<WorkspaceId> },
    Link(User),
}

async fn user(inner: &Arc<Inner>, person: &Person, pending: &Pending) -> Result<Admitted> {
    let (db, workspace_id) = (inner.db()?, pending.workspace_id);
    if let Some(identity) = store::find(db, person).await? {
        let user = accounts::user(db, identity.user_id).await?.ok_or_else(disabled)?.into_user();
        store::touch(db, identity.id, person, inner.now()).await?;
        return Ok(Admitted::In { user, identity: identity.id, workspace_id });
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
        if inner.email_proofs.is_required && !person.is_email_trusted {
            let text = "this installation makes accounts only for addresses that are proved, and the provider does not vouch for this one: use `begin_sign_up`, and link it then";
            return Err(Error::new(ErrorKind::Unsupported, "verification_required", text).with_provider(&person.provider));
        }
        let (user, identity) = new_account::run(inner, person, &canonical, pending.locale.as_deref()).await?;
        return Ok(Admitted::In { user, identity, workspace_id: None });
    };
    let user = found.into_user();
    if !person.is_email_trusted || !inner.social.implicit_linking {
        return Ok(Admitted::Link(user));
    }
    // The provider's word is a proof of the address: if it is the first, this is as after a code that was mailed there.
    let user = verified::adopt(inner, user).await?;
    let identity = link::implicit(inner, person, &user, &canonical).await?;
    Ok(Admitted::In { user, identity, workspace_id })
}

fn disabled() -> Error {
    Error::new(ErrorKind::Forbidden, "account_disabled", "this account is disabled: ask whoever runs the application")
}
