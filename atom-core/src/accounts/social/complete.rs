//! The end of a sign-in: who came back, and whose account that is.

use super::{admit, flow, person};
use crate::accounts::{Client, SignIn};
use crate::atom::Inner;
use crate::{Result, Secret};
use std::sync::Arc;

pub(in crate::accounts) async fn run(
    inner: &Arc<Inner>,
    flow_token: Secret,
    callback_url: &str,
    client: Option<Client>,
) -> Result<SignIn> {
    let client = client.map(Client::canonical).transpose()?.flatten();
    let returned = flow::end(inner, &flow_token, callback_url, None).await?;
    let person = person::ask(inner, &returned).await?;
    admit::run(inner, person, returned.pending, client).await
}
