//! What social sign-in takes and returns.

use crate::accounts::Client;
use crate::{IdentityId, Secret, UserId, WorkspaceId};
use atom_macros::model;
use chrono::{DateTime, Utc};

/// A provider that people may sign in with, and the host's own client there.
///
/// Known in advance are `google`, `github`, `microsoft` and `apple`; any other that speaks OpenID Connect is named by its `issuer`.
#[model(secret, default)]
pub struct SignInProvider {
    /// What `SocialStart.provider` calls it: a known one's name, or the host's own word for an issuer.
    pub name: String,
    /// The known provider, where `name` is another word: for a second client of the same one.
    pub preset: Option<String>,
    /// The issuer, exactly as its discovery document names itself: `https://login.example.com`.
    pub issuer: Option<String>,
    /// The client id from the provider's developer console. For Apple: the Services ID.
    pub client_id: String,
    /// The client secret; public clients have none, and Apple has `apple` instead.
    pub client_secret: Option<Secret>,
    /// The key that Apple's client secrets are made with.
    pub apple: Option<AppleKey>,
    /// Where the provider sends the user back: registered there, used exactly as written, and another one for each provider.
    pub redirect_uri: String,
    /// Further ones, of which `SocialStart` may name one. As with `ProviderApp`, a loopback address stands for all its ports.
    pub redirect_uris: Option<Vec<String>>,
    /// What is asked for. Default: who it is, their address and name.
    pub scopes: Option<Vec<String>>,
    /// For `microsoft`, which has an issuer for each directory (tenant): the ids of those whose accounts may sign in, or `*` for all.
    pub tenants: Option<Vec<String>>,
    /// Believe the provider's `email_verified`, so that a verified address leads to the account that has it. Default: for an issuer of the host's own, no;
    /// for a known provider, as it deserves: `google` for addresses that Google runs, `github` and `apple` for verified ones, `microsoft` for those that the owner of the domain vouched for.
    /// For `microsoft`, true believes every address of the named tenants, and `*` is refused.
    pub trust_email: Option<bool>,
    /// Let the issuer be in the host's own network, and reach it as the host does, by its proxy too. Default: no, the public internet only. Known providers
    /// are always reached as the host does.
    pub private_network: Option<bool>,
    /// Sends every request of a known provider to one loopback address instead, for development and tests.
    pub development_endpoint: Option<String>,
}

/// The key of Sign in with Apple: client secrets are signed with it, one for each exchange.
#[model(secret, default)]
pub struct AppleKey {
    /// The team id: ten characters.
    pub team_id: String,
    /// The id of the key: ten characters.
    pub key_id: String,
    /// The private key as Apple made it: the text of the `.p8` file.
    pub private_key: Secret,
}

/// How to begin a sign-in at a provider.
#[model(default)]
pub struct SocialStart {
    /// The provider's name in `OpenOptions.sign_in_providers`.
    pub provider: String,
    /// Where the provider sends the user back, if not to its first redirect URI.
    pub redirect_uri: Option<String>,
    /// The workspace to enter. Default: the one that the user joined first.
    pub workspace_id: Option<WorkspaceId>,
    /// The address that the user has typed already: the provider may fill it in.
    pub login_hint: Option<String>,
    /// The language, such as `de-CH`: the provider's page may be in it, and a new account keeps it.
    pub locale: Option<String>,
    /// What is known of the client. Beginnings are counted by its network.
    pub client: Option<Client>,
}

/// A sign-in that waits for the user at the provider.
#[model(secret)]
pub struct SocialFlow {
    /// Where to send the browser.
    pub url: String,
    /// Proves that the callback comes to the browser that began. Keep it in a cookie that scripts cannot read, for ten minutes; where the provider answers
    /// with a POST, as Apple does, a cookie with `SameSite=None`.
    pub flow_token: Secret,
    /// Until when the user may come back.
    pub expires_at: DateTime<Utc>,
}

/// An account at a provider that is proved, and may belong to an account here: its user must say so, signed in in another way.
#[model(secret)]
pub struct PendingLink {
    /// Given to `Identities.link` by the user whose account has the address. Good for nobody else.
    pub link_token: Secret,
    /// The provider's name.
    pub provider: String,
    /// The address that both have.
    pub email: String,
    /// Until when.
    pub expires_at: DateTime<Utc>,
}

/// An account at a provider that a user signs in with.
#[model]
pub struct Identity {
    /// Its id.
    pub id: IdentityId,
    /// Whose it is.
    pub user_id: UserId,
    /// The provider's name when it was last used.
    pub provider: String,
    /// The address that the provider told last. The account's own may be another.
    pub email: Option<String>,
    /// When it was linked.
    pub created_at: DateTime<Utc>,
    /// When the user last signed in with it.
    pub last_used_at: Option<DateTime<Utc>>,
}
