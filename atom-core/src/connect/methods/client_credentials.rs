//! A client that acts for itself (RFC 6749 §4.4). There is no refresh token: the next token is asked for as the first was.

use super::{Ask, Method, tokens};
use crate::connect::ConnectFlow;
use crate::connect::authenticate::vars;
use crate::connect::token_endpoint::{Style, TokenEndpoint};
use crate::crypto::BoxFuture;
use crate::providers::ClientCredentials;
use crate::vault::TokenSet;
use crate::{Result, Secret};

impl ClientCredentials {
    async fn ask(&self, Ask { inner, app, facts }: Ask<'_>, known: TokenSet) -> Result<TokenSet> {
        let vars = vars(app, &known);
        let endpoint = TokenEndpoint {
            app,
            outlet: app.outlet(inner),
            url: app.place_with(&self.token_url, vars.clone(), facts)?,
            client_id: known.fields.get("client_id").map_or(app.client_id.as_str(), Secret::expose),
            client_secret: known.fields.get("client_secret").or(app.client_secret.as_ref()),
            client_auth: self.client_auth,
            scope_separator: &self.scope_separator,
            default_lifetime: self.default_lifetime,
            style: Style::default(),
        };
        let scopes = known.scopes.join(&self.scope_separator);
        let params: Vec<_> =
            self.params.iter().filter_map(|(n, t)| Some((n.as_str(), t.render(&vars, str::to_owned)?))).collect();
        let mut form: Vec<_> = params.iter().map(|(name, value)| (*name, value.as_str())).collect();
        if !scopes.is_empty() {
            form.push(("scope", &scopes));
        }
        let next = tokens(&endpoint, "client_credentials", &form, inner.now()).await?;
        // A refresh token is not to be given here (§4.4.3), and would not be used.
        let next = TokenSet { refresh_token: None, method: known.method.clone(), ..next };
        Ok(next.over(known))
    }
}

impl Method for ClientCredentials {
    fn flow(&self) -> ConnectFlow {
        ConnectFlow::Fields
    }

    fn is_repeatable(&self) -> bool {
        true
    }

    fn scopes(&self) -> &[String] {
        &self.scopes
    }

    fn renew<'a>(&'a self, ask: Ask<'a>, _: &'a str, tokens: &'a TokenSet) -> Option<BoxFuture<'a, Result<TokenSet>>> {
        Some(Box::pin(self.ask(ask, tokens.clone())))
    }

    fn account_id(&self, tokens: &TokenSet) -> Option<String> {
        tokens.fields.get("client_id").map(|id| id.expose().to_owned())
    }
}
