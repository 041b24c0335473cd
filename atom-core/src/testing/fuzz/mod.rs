//! What fuzzers call: one function per target, which takes any bytes at all. It returns, or it has found a fault.
//!
//! The programs that call them stand in the folder `fuzz` of the repository, with their seeds; `tests/fuzz` runs all of them without a fuzzer. A
//! new target is a file with a function here, a line in [`TARGETS`], and its program.

mod account;
mod answer;
mod callback;
mod id_token;
mod link;
mod manifest;
mod passkey;
mod password_hash;
mod retry_after;

pub use answer::answer;
pub use callback::callback;
pub use id_token::id_token;
pub use link::link;
pub use manifest::manifest;
pub use passkey::passkey;
pub use password_hash::password_hash;
pub use retry_after::retry_after;

/// A target.
pub type Target = fn(&[u8]);

/// Every target, by the name of its program.
pub const TARGETS: &[(&str, Target)] = &[
    ("answer", answer),
    ("callback", callback),
    ("id_token", id_token),
    ("link", link),
    ("manifest", manifest),
    ("passkey", passkey),
    ("password_hash", password_hash),
    ("retry_after", retry_after),
];
