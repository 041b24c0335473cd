//! A user name and a password (RFC 7617), or what a vendor has in their place, such as a key and a fixed letter.

use super::Method;
use crate::Result;
use crate::connect::{App, ConnectFlow, authenticate};
use crate::http_client::{Request, basic};
use crate::providers::{Basic, Template};
use crate::vault::TokenSet;
use reqwest::header::AUTHORIZATION;

impl Method for Basic {
    fn flow(&self) -> ConnectFlow {
        ConnectFlow::Fields
    }

    fn is_fixed(&self) -> bool {
        true
    }

    fn authenticate(&self, app: &App, tokens: &TokenSet, request: &mut Request) -> Result<()> {
        let vars = authenticate::vars(app, tokens);
        let render = |template: &Template| template.render(&vars, str::to_owned).unwrap_or_default();
        request
            .headers
            .insert(AUTHORIZATION, authenticate::secret_header(&basic(&render(&self.username), &render(&self.password)))?);
        Ok(())
    }

    fn account_id(&self, tokens: &TokenSet) -> Option<String> {
        tokens.fields.get("username").map(|name| name.expose().to_owned())
    }
}
