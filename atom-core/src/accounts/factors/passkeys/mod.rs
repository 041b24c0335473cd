//! Passkeys: key pairs whose private half stays with the user's devices (WebAuthn Level 3).
//!
//! This is a relying party of its own, because what it needs is in the tree already: `ring` verifies the signatures, and of CBOR authenticators write a small
//! part ([`cbor`]). It asks for no attestation and takes none but a signature of the new key itself. User verification is required throughout, so a
//! passkey is two factors: something that one has, and something that one is or knows. Each check that fails has a reason of its own ([`refusal`]).

mod authenticator_data;
mod cbor;
mod challenge;
mod options;
mod prove;
mod public_key;
mod refusal;
mod register;
mod relying_party;
mod response;
mod sign_in;
mod store;

pub(in crate::accounts) use prove::{begin_factor, begin_step_up, complete, step_up};
pub(super) use register::{begin as begin_registration, confirm as confirm_registration};
pub(super) use relying_party::RelyingParty;
#[cfg(feature = "testing")]
pub(crate) use response::fuzz;
pub(in crate::accounts) use sign_in::{begin as begin_sign_in, run as sign_in};

use crate::crypto::{base64url, from_base64url};
use refusal::{Checked, Refusal};
