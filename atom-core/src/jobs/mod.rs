//! Durable jobs: work that is stored before it is done.

mod handler;
mod running;

pub use handler::{Handler, JobFailure};
pub(crate) use running::Run;
pub use running::RunningJob;
