//! What tests and examples need: an installation with a clock that the test moves, a stand-in for Google on loopback, and a probe of the
//! language borders.
//!
//! Behind the cargo feature `testing`. The Python and npm packages carry it, so that their users can test their own code
//! against a provider that expires and rotates tokens.

mod audit;
mod ending;
mod example;
mod factors;
#[doc(hidden)]
pub mod fuzz;
mod google;
mod issuer;
mod keys;
mod kit;
mod mail;
mod passkey;
mod probe;
mod trial;
mod vendor;

pub use audit::fill_audit_log;
pub use ending::end_connections;
#[doc(hidden)]
pub use example::example;
pub use factors::totp_code;
pub use google::GoogleStandIn;
pub use issuer::{IssuerManners, IssuerStandIn};
pub use keys::{KeyPace, fill_sessions, pace_keys, sealed_columns};
pub use kit::TestKit;
pub use mail::queue_mail;
pub use probe::{Probe, Sample, SealedSample, Shape, Weight};
pub use trial::{Ticks, Trial, TrialOutcome};
pub use vendor::VendorStandIn;
