//! The begin of a sign-in.

use super::{SocialFlow, SocialStart, flow};
use crate::Result;
use crate::atom::Inner;

pub(in crate::accounts) async fn run(inner: &Inner, start: SocialStart) -> Result<SocialFlow> {
    flow::begin(inner, start, None).await
}
