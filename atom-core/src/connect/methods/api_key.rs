//! A key that the user copies from the provider: it stays as it is, and goes where the manifest says.

use super::{Ask, Granted, Method};
use crate::Result;
use crate::connect::{App, ConnectFlow, authenticate};
use crate::crypto::BoxFuture;
use crate::http_client::Request;
use crate::providers::ApiKey;
use crate::vault::{Fields, TokenSet};

impl Method for ApiKey {
    fn flow(&self) -> ConnectFlow {
        ConnectFlow::Fields
    }

    fn is_fixed(&self) -> bool {
        true
    }

    fn obtain<'a>(&'a self, _: Ask<'a>, fields: Fields, _: Option<Vec<String>>) -> BoxFuture<'a, Result<Granted>> {
        Box::pin(async { Ok(TokenSet { fields, ..Default::default() }.into()) })
    }

    fn authenticate(&self, app: &App, tokens: &TokenSet, request: &mut Request) -> Result<()> {
        authenticate::place(&self.send, &authenticate::vars(app, tokens), request)
    }
}
