//! People: who they are, how they prove it, and the sessions that follow.

mod audit_trail;
mod authenticate;
mod client;
mod email;
mod email_address;
mod email_proof;
mod events;
mod factors;
#[cfg(test)]
mod fixtures;
mod invitations;
mod mail_limits;
mod members;
mod model;
mod notice;
mod passwords;
mod profile;
mod proof;
mod purpose;
mod rights;
mod sessions;
mod sign_in;
mod sign_up;
mod social;
mod step_up;
mod store;
mod throttle;
mod users;
mod verified;
mod verified_sign_up;
mod workspaces;

#[cfg(feature = "testing")]
pub(crate) use sessions::fill as fill_sessions;

pub use audit_trail::AuditTrail;
pub use client::Client;
pub use email_address::EmailAddress;
pub(crate) use email_proof::EmailProofSettings;
pub use email_proof::{EmailProof, EmailSignIn, LinkSignIn, MagicLink, PendingCode, PendingMagicLink, PendingVerification};
pub use events::Events;
pub(crate) use factors::FactorSettings;
pub use factors::{
    AddedFactor, Factor, FactorKind, Factors, PasskeyChallenge, PasskeyCredentials, PendingFactor, RecoveryCodes, TotpSetup,
};
#[cfg(feature = "testing")]
pub(crate) use factors::{code_of, fuzz_passkey};
pub use invitations::{
    AcceptInvitation, Invitation, InvitationFilter, InvitationPage, InvitationPreview, InvitationState, Invitations,
    NewInvitation,
};
pub use members::{Member, MemberFilter, MemberPage, Members};
pub use model::{Credentials, NewAccount, Principal, Role, Session, User, Workspace};
pub(crate) use passwords::PasswordSettings;
pub use passwords::{BreachedPasswords, Password, PasswordResetRequest};
pub use profile::{Profile, ProfilePatch, UserProfile};
use proof::Ground;
pub use proof::SignInMethod;
pub use purpose::Purpose;
pub(crate) use purpose::is_label;
pub(crate) use rights::acting;
pub use sessions::{ActiveSession, Sessions};
pub(crate) use sessions::{CHORE, SessionSettings, sweep};
pub use sign_in::SignIn;
pub use social::{AppleKey, Identities, Identity, PendingLink, SignInProvider, SocialFlow, SocialStart};
pub(crate) use social::{SignInProviders, SocialSettings};
pub use step_up::StepUp;
pub(crate) use step_up::window as step_up_window;
pub(crate) use throttle::Turns;
pub use users::{ImportedUser, UserImport, Users};
pub use users::{UserAccount, UserFilter, UserPage, UserPatch, UserState};
pub(crate) use workspaces::CHORE as DEPARTURES;
pub use workspaces::{AllWorkspaces, NewWorkspace, WorkspaceMembership, WorkspaceSeats, Workspaces};

use crate::atom::Inner;
use crate::{Json, Result, Secret};
use atom_macros::{api, handle};
use email_proof::Intent;
use std::sync::Arc;

/// Accounts of the installation: sign up, sign in, keep and end sessions.
///
/// ```
/// # tokio_test(async {
/// # let folder = tempfile::tempdir().unwrap();
/// # let url = format!("sqlite:{}", folder.path().join("atom.db").display());
/// use atom_core::{Atom, LocalKey, NewAccount};
///
/// let atom = Atom::builder(url).key(LocalKey::generate()?).open().await?;
/// let session = atom
///     .accounts()
///     .sign_up(NewAccount {
///         email: "ada@example.com".into(),
///         password: "an engine of brass and thought".into(),
///         ..Default::default()
///     })
///     .await?;
/// let scope = atom.authenticate(session.access_token).await?;
/// assert_eq!(scope.principal().user_id, session.user.id);
/// # Ok::<(), atom_core::Error>(()) });
/// # fn tokio_test(f: impl Future<Output = Result<(), atom_core::Error>>) { tokio::runtime::Runtime::new().unwrap().block_on(f).unwrap() }
/// ```
#[handle]
pub struct Accounts {
    pub(crate) inner: Arc<Inner>,
}

#[api]
impl Accounts {
    /// Creates a user with a workspace of their own and signs them in.
    ///
    /// Fails with `invalid` (`malformed_email`, `weak_password`, `password_too_long`, `common_password`, `breached_password`, `malformed_client`,
    /// `malformed_locale`), `conflict` (`email_taken`: offer to sign in instead), `unavailable` (`breach_check_failed`) or, where
    /// `OpenOptions.require_verified_email` says so, `unsupported` (`verification_required`: use `begin_sign_up`).
    pub async fn sign_up(&self, account: NewAccount) -> Result<Session> {
        sign_up::run(&self.inner, account).await
    }

    /// Signs a user in with e-mail and password, into the named workspace or the one they joined first.
    ///
    /// Wrong passwords are counted, over all processes, for an e-mail address from one network and for a network: from some on, each makes the next
    /// attempt wait longer, up to a quarter of an hour. Nobody is locked out by what others do elsewhere, nor on a device that is named by
    /// `known_device`. Pass the `ip` of `client`: where it is missing, anybody's failures delay the owner too, by half a minute at most.
    ///
    /// A user with a second factor is not signed in yet: see [`SignIn`].
    ///
    /// Fails with `unauthenticated`: `wrong_credentials`, which does not tell whether the e-mail is known, or `proof_outdated` (the password was changed at the
    /// same moment: sign in again); `rate_limited` (`too_many_attempts`: wait for `retry_after`), `forbidden` (`not_a_member`; `user_disabled`, which only whoever knows
    /// the password is told) or `invalid`
    /// (`malformed_client`).
    pub async fn sign_in(&self, credentials: Credentials) -> Result<SignIn> {
        sign_in::with_password(&self.inner, credentials).await
    }

    /// Begins a sign-in with an account at a provider: send the browser to the returned URL, and keep the flow token with it.
    ///
    /// Fails with `not_found` (`unknown_sign_in_provider`), `invalid` (`redirect_uri_not_allowed`, `malformed_locale`, `malformed_client`), `rate_limited`
    /// (`too_many_attempts`), `provider` (`discovery_malformed`, `discovery_issuer_mismatch`) or `unavailable`.
    pub async fn begin_social(&self, start: SocialStart) -> Result<SocialFlow> {
        social::begin(&self.inner, start).await
    }

    /// Completes a sign-in with the URL that the provider sent the user back to, in the browser that began. Where the provider answers with a POST, as Apple does,
    /// append its body to the URL as the query.
    ///
    /// Whoever is not known gets an account of their own, unless `OpenOptions.sign_up_by_social` says otherwise. An account that has the provider's address
    /// is signed in to only if both sides vouch for it; one whose address nobody has verified goes to whoever the provider vouches for, without its password,
    /// its second factors, its identities and its sessions. Otherwise the answer is `SignIn.LinkRequired`.
    ///
    /// Fails with `invalid` (`state_unknown`: used, expired or begun in another browser; `wrong_redirect_uri`, `wrong_issuer`, `malformed_callback`, `code_refused`:
    /// start again; `email_missing`), `cancelled` (`consent_declined`), `forbidden` (`sign_up_closed`, `account_disabled`, `tenant_not_allowed`, `not_a_member`),
    /// `unsupported` (`verification_required`: the provider does not vouch for the address, and `OpenOptions.require_verified_email` is set: sign up with
    /// `begin_sign_up` and link it then), `unauthenticated` (`proof_outdated`: the account was unlinked at the same moment),
    /// `provider` (`token_refused`: check the client; `id_token_…`, `userinfo_of_another`: the provider's answer cannot be trusted) or `unavailable`.
    pub async fn complete_social(&self, flow_token: Secret, callback_url: String, client: Option<Client>) -> Result<SignIn> {
        social::complete(&self.inner, flow_token, &callback_url, client).await
    }

    /// Begins to sign up with an address that is proved first: mails a code and a link there. The account is made by `confirm_sign_up`. The answer
    /// is the same for an address that has an account already; its owner is told.
    ///
    /// Fails with `unsupported` (`mail_not_configured`), `rate_limited` (`too_many_attempts`), or `invalid` as `sign_up` does.
    pub async fn begin_sign_up(&self, account: NewAccount) -> Result<PendingVerification> {
        verified_sign_up::begin(&self.inner, account).await
    }

    /// Makes the account whose address is proved now, with a workspace of its own, and signs its user in.
    ///
    /// Fails with `unauthenticated`: `wrong_code` (five of them at most) or `proof_spent` (begin again); `conflict` (`email_taken`: somebody has signed up
    /// with the address meanwhile; sign in with a code instead) or `invalid` (`malformed_client`).
    pub async fn confirm_sign_up(&self, proof: EmailProof) -> Result<SignIn> {
        verified_sign_up::confirm(&self.inner, proof).await
    }

    /// Finishes a sign-in that led to `SignIn.VerificationRequired`: with the code of the mail or the token of its link.
    ///
    /// Fails with `unauthenticated` (`wrong_code`, `proof_spent`, `proof_outdated`: sign in again), `forbidden` (`not_a_member`, `user_disabled`) or `invalid` (`malformed_client`).
    pub async fn verify_email(&self, proof: EmailProof) -> Result<SignIn> {
        sign_in::with_verification(&self.inner, proof).await
    }

    /// Mails a code to sign in with. It replaces the one that was asked for before from the same network or known device. Nothing tells whether the address is
    /// known: where it is not, nothing is mailed, unless `OpenOptions.sign_up_by_code` lets it become an account.
    ///
    /// Fails with `unsupported` (`mail_not_configured`), `rate_limited` (`too_many_attempts`: more than five in ten minutes for the address from one network or
    /// known device, or more than twenty in an hour from all networks) or `invalid` (`malformed_email`, `malformed_client`).
    pub async fn request_code(&self, request: EmailSignIn) -> Result<PendingCode> {
        Ok(sign_in::request_by_mail(&self.inner, Intent::SignInCode, request).await?.into())
    }

    /// Signs a user in with the code that was mailed. That proves the address: where it was not verified before, whoever has signed up with it may have been
    /// somebody else, so the account's password, its second factors, its identities and its sessions end.
    ///
    /// Fails with `unauthenticated` (`wrong_code`: five of them at most; `proof_spent`: request another; `proof_outdated`: the address was changed at the same
    /// moment), `forbidden` (`not_a_member`, `user_disabled`) or `invalid` (`malformed_client`).
    pub async fn sign_in_with_code(&self, proof: EmailProof) -> Result<SignIn> {
        sign_in::with_code(&self.inner, proof).await
    }

    /// Mails a link to sign in with, to a page of the application: `app_url`, `/sign-in?token=`. All else is as with `request_code`.
    pub async fn request_magic_link(&self, request: EmailSignIn) -> Result<PendingMagicLink> {
        Ok(sign_in::request_by_mail(&self.inner, Intent::MagicLink, request).await?.into())
    }

    /// What a link to sign in with is for. It uses nothing up, so call it when the page is opened, also by a scanner of mail, and `sign_in_with_link` when
    /// the user confirms.
    ///
    /// Fails with `unauthenticated` (`proof_spent`).
    pub async fn magic_link(&self, token: Secret) -> Result<MagicLink> {
        sign_in::look_at_link(&self.inner, &token).await
    }

    /// Signs a user in with the link that was mailed, once. That proves the address, as with `sign_in_with_code`.
    ///
    /// Fails with `unauthenticated` (`proof_spent`, `proof_outdated`: request another), `forbidden` (`not_a_member`, `user_disabled`) or `invalid` (`malformed_client`).
    pub async fn sign_in_with_link(&self, link: LinkSignIn) -> Result<SignIn> {
        sign_in::with_link(&self.inner, link).await
    }

    /// Completes a sign-in that asked for a second factor, with a code of one of the user's authenticator apps: `PendingFactor.token`, and what the
    /// user typed. Each code is accepted once. A sign-in takes five tries; wrong codes of all sign-ins of a user make the next attempt wait, up to a
    /// quarter of an hour.
    ///
    /// Fails with `unauthenticated` (`wrong_code`: ask for the next one; `unknown_pending_factor`, `proof_outdated`: begin anew; `factor_unavailable`),
    /// `rate_limited` (`too_many_attempts`: wait for `retry_after`, or use another factor) or `forbidden` (`not_a_member`, `user_disabled`).
    pub async fn complete_with_totp(&self, pending_token: Secret, code: Secret) -> Result<SignIn> {
        factors::with_totp(&self.inner, pending_token, &code).await
    }

    /// The same with a recovery code, for whoever has lost the factor. It is good for nothing after that, and wrong ones delay nobody.
    ///
    /// Fails with `unauthenticated` (`wrong_code`, `unknown_pending_factor`, `proof_outdated`: begin anew; `factor_unavailable`) or `forbidden` (`not_a_member`, `user_disabled`).
    pub async fn complete_with_recovery_code(&self, pending_token: Secret, code: Secret) -> Result<SignIn> {
        factors::with_recovery_code(&self.inner, pending_token, &code).await
    }

    /// A challenge for the passkeys of a user whose sign-in waits for a factor: `PendingFactor.token`.
    ///
    /// Fails with `unauthenticated` (`unknown_pending_factor`: begin anew; `factor_unavailable`) or `unsupported` (`passkeys_not_configured`).
    pub async fn begin_passkey_factor(&self, pending_token: Secret) -> Result<PasskeyChallenge> {
        factors::begin_passkey_factor(&self.inner, pending_token).await
    }

    /// Completes a sign-in with the answer to such a challenge, `credential.toJSON()`.
    ///
    /// Fails with `unauthenticated` (what [`PasskeyChallenge`] lists: ask for another challenge; `unknown_pending_factor`: begin anew;
    /// `factor_unavailable`), `unsupported` (`passkeys_not_configured`) or `forbidden` (`not_a_member`).
    pub async fn complete_with_passkey(&self, pending_token: Secret, challenge_token: Secret, answer: Json) -> Result<SignIn> {
        factors::complete_with_passkey(&self.inner, pending_token, challenge_token, answer).await
    }

    /// A challenge for anybody's passkey: the page offers those that its device has.
    ///
    /// Fails with `unsupported` (`passkeys_not_configured`).
    pub async fn begin_passkey_sign_in(&self) -> Result<PasskeyChallenge> {
        factors::begin_passkey_sign_in(&self.inner).await
    }

    /// Signs a user in by the answer to such a challenge. The device has verified its user, so a passkey is two factors: nothing more is asked.
    ///
    /// Fails with `unauthenticated` (what [`PasskeyChallenge`] lists: ask for another challenge), `unsupported` (`passkeys_not_configured`), `forbidden`
    /// (`not_a_member`) or `invalid` (`malformed_client`).
    pub async fn sign_in_with_passkey(&self, credentials: PasskeyCredentials) -> Result<SignIn> {
        factors::sign_in_with_passkey(&self.inner, credentials).await
    }

    /// Exchanges a refresh token for a new pair of tokens.
    ///
    /// Safe to repeat: a caller that lost the answer gets the same new refresh token again, as long as nobody used that one, and in any case for
    /// `OpenOptions.refresh_grace_seconds` after the first use. A token that is older has leaked, so the session ends.
    ///
    /// Fails with `unauthenticated`: `refresh_token_reused`, `session_revoked`, `session_expired`, `invalid_refresh_token`. Each means to let the
    /// user sign in.
    pub async fn refresh(&self, refresh_token: Secret) -> Result<Session> {
        sessions::refresh(&self.inner, refresh_token, None).await
    }

    /// The same, with what the host knows of the client now: it replaces what the session's list told before.
    ///
    /// Fails as `refresh` does, and with `invalid` (`malformed_client`).
    pub async fn refresh_from(&self, refresh_token: Secret, client: Client) -> Result<Session> {
        sessions::refresh(&self.inner, refresh_token, Some(client)).await
    }

    /// What an invitation says to whoever has its token, before they accept it.
    ///
    /// Fails with `not_found` (`invitation_invalid`: unknown, over, used or withdrawn; ask for another one).
    pub async fn invitation(&self, token: Secret) -> Result<InvitationPreview> {
        invitations::show(&self.inner, &token).await
    }

    /// Accepts an invitation with a new account, which has the address that the token came to, verified, and no workspace but that one. Whoever has an
    /// account signs in, and calls `Invitations.accept`.
    ///
    /// Fails with `not_found` (`invitation_invalid`), `conflict` (`email_taken`: sign in; `no_seats_left`) or `invalid` (`weak_password`,
    /// `password_too_long`, `malformed_client`).
    pub async fn accept_invitation(&self, invitation: AcceptInvitation) -> Result<Session> {
        invitations::with_new_account(&self.inner, invitation).await
    }

    /// Ends the session of a refresh token. Ending it twice is no error. Where there is only an access token, see `Scope.sessions`.
    ///
    /// Fails with `unauthenticated` (`invalid_refresh_token`).
    pub async fn sign_out(&self, refresh_token: Secret) -> Result<()> {
        sessions::sign_out(&self.inner, refresh_token).await
    }

    /// Mails a link to whoever has forgotten their password, below `OpenOptions.app_url`: `/reset-password?token=…`, valid for
    /// `OpenOptions.password_reset_minutes` and until the next one. The answer is the same, and as quick, whether there is somebody with the address. It is also for
    /// users who have no password yet.
    ///
    /// Fails with `unsupported` (`mail_not_configured`), `rate_limited` (`too_many_attempts`: wait for `retry_after`), which does not tell either, or `invalid`
    /// (`malformed_client`).
    pub async fn request_password_reset(&self, request: PasswordResetRequest) -> Result<()> {
        passwords::request_reset(&self.inner, request).await
    }

    /// Sets a new password with the token of such a link, which works once, and ends all sessions of the user. Let them sign in then: nobody is
    /// signed in by a mail alone who has a second factor. The link proves the address, too; if nothing has proved it before, the second factors and the
    /// identities of whoever signed up with it end.
    ///
    /// Fails with `unauthenticated` (`invalid_reset_token`: ask for another link), `invalid` (`weak_password`, `password_too_long`,
    /// `common_password`, `breached_password`) or `unavailable` (`breach_check_failed`). Only the first spends the token.
    pub async fn reset_password(&self, token: Secret, new_password: Secret) -> Result<()> {
        passwords::reset(&self.inner, &token, &new_password).await
    }
}
