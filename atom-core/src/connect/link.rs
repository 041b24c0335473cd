//! Complete a connection that began in a provider's widget.

use super::methods::PUBLIC_TOKEN;
use super::{Connection, Connections, callback};
use crate::{Result, Secret};
use std::collections::HashMap;

/// The session is taken first, by whoever began it; only then is the widget's token sent anywhere.
pub(super) async fn run(connections: &Connections, link_token: &str, public_token: &Secret) -> Result<Connection> {
    let (pending, app) = callback::take(connections, link_token).await?;
    let answer = HashMap::from([(PUBLIC_TOKEN.to_owned(), public_token.expose().to_owned())]);
    callback::finish(connections, app, pending, answer).await
}
