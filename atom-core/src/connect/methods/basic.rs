//! A user name and a password (RFC 7617), or what a vendor has in their place, such as a key and a fixed letter.

use super::{Ask, Granted, Method};
use crate::Result;
use crate::connect::{App, ConnectFlow, authenticate, token_endpoint};
use crate::crypto::BoxFuture;
use crate::http_client::Request;
use crate::providers::{Basic, Template};
use crate::vault::{Fields, TokenSet};
use reqwest::header::AUTHORIZATION;

impl Method for Basic {
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
        let vars = authenticate::vars(app, tokens);
        let render = |template: &Template| template.render(&vars, str::to_owned).unwrap_or_default();
        request.headers.insert(AUTHORIZATION, token_endpoint::basic(&render(&self.username), &render(&self.password))?);
        Ok(())
    }

    fn account_id(&self, tokens: &TokenSet) -> Option<String> {
        tokens.fields.get("username").map(|name| name.expose().to_owned())
    }
}
