//! Accounts whose address is proved before anything else: an account that waits for that, and a sign-in that does.

mod begin_sign_up;
mod confirm_sign_up;
mod finish_sign_in;

pub(super) use begin_sign_up::run as begin_sign_up;
pub(super) use confirm_sign_up::run as confirm_sign_up;
pub(super) use finish_sign_in::{begin as finish_later, run as finish_sign_in};

use crate::{Error, ErrorKind};

/// An account cannot be had without a proof.
pub(super) fn required() -> Error {
    let text = "this installation makes accounts only for addresses that are proved: use `begin_sign_up` and `confirm_sign_up`";
    Error::new(ErrorKind::Unsupported, "verification_required", text)
}
