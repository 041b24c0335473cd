//! A key that the user copies from the provider: it stays as it is, and goes where the manifest says.

use super::Method;
use crate::Result;
use crate::connect::{App, ConnectFlow, authenticate};
use crate::http_client::Request;
use crate::providers::ApiKey;
use crate::vault::TokenSet;

impl Method for ApiKey {
    fn flow(&self) -> ConnectFlow {
        ConnectFlow::Fields
    }

    fn is_fixed(&self) -> bool {
        true
    }

    fn authenticate(&self, app: &App, tokens: &TokenSet, request: &mut Request) -> Result<()> {
        authenticate::place(&self.send, &authenticate::vars(app, tokens), request)
    }
}
