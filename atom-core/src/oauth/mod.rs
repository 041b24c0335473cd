//! What every client of OAuth 2 and OpenID Connect does, whoever it asks and whatever for: it opens a consent with PKCE at a redirect URI that is listed, takes
//! the answer apart, shows who it is, and reads ID tokens. Connections and sign-in are built on it.

mod client;
mod consent;
mod discovery;
mod id_token;
mod redirect;

pub(crate) use client::{ClientAuth, authenticate, printable, secret_header};
pub(crate) use consent::{Answer, check_issuer, declined, open, parse};
pub(crate) use discovery::Discovery;
pub(crate) use id_token::{Expected, IdToken, Issuer, Profile, is_key_unknown, read as read_id_token};
pub(crate) use redirect::{RedirectUris, check_callback_url, is_at};
