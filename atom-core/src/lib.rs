//! Atom.

#[cfg(feature = "mobile")]
uniffi::setup_scaffolding!("atom");

pub mod bridge;
mod error;
mod id;
mod secret;
#[cfg(feature = "testing")]
pub mod testing;
mod value;

pub use error::{Error, ErrorKind, Result};
pub use id::{ConnectionId, SessionId, UserId, WorkspaceId};
pub use secret::Secret;
pub use value::{Bytes, Json};
