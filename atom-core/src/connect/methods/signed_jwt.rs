//! A signed document for a token (RFC 7523 §2.1), as service accounts have it. The next token is asked for with another document.

use super::{Ask, Method, jwt, tokens};
use crate::Result;
use crate::connect::ConnectFlow;
use crate::connect::authenticate::vars;
use crate::connect::token_endpoint::{Style, TokenEndpoint};
use crate::crypto::BoxFuture;
use crate::oauth::ClientAuth;
use crate::providers::SignedJwt;
use crate::vault::TokenSet;

const GRANT_TYPE: &str = "urn:ietf:params:oauth:grant-type:jwt-bearer";

impl SignedJwt {
    async fn ask(&self, Ask { inner, app, facts }: Ask<'_>, known: TokenSet) -> Result<TokenSet> {
        let mut vars = jwt::expand(&self.jwt, vars(app, &known))?;
        vars.insert("scopes".into(), known.scopes.join(&self.scope_separator).into());
        let assertion = jwt::sign(&self.jwt, &vars, inner.now())?;
        let params: Vec<_> =
            self.params.iter().filter_map(|(name, value)| Some((name.as_str(), value.render(&vars, str::to_owned)?))).collect();
        let mut form = vec![("assertion", assertion.as_str())];
        form.extend(params.iter().map(|(name, value)| (*name, value.as_str())));
        let endpoint = TokenEndpoint {
            app,
            outlet: app.outlet(inner),
            url: app.place_with(&self.token_url, vars, facts)?,
            // The document says who asks: the host's client has no part in it.
            client_id: "",
            client_secret: None,
            client_auth: ClientAuth::None,
            scope_separator: &self.scope_separator,
            default_lifetime: self.default_lifetime,
            style: Style::capturing(&self.capture),
        };
        let next = tokens(&endpoint, GRANT_TYPE, &form, inner.now()).await?;
        let next = TokenSet { refresh_token: None, method: known.method.clone(), ..next };
        Ok(next.over(known))
    }
}

impl Method for SignedJwt {
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
}
