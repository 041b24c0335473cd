//! The token endpoint, spoken to through the `oauth2` crate on our own HTTP client.

use super::App;
use crate::crypto::BoxFuture;
use crate::http_client::{HttpClient, Request};
use crate::integrations::failure;
use crate::providers::ClientAuth;
use crate::vault::TokenSet;
use crate::{Error, ErrorKind, Result, Secret};
use chrono::{DateTime, Utc};
use oauth2::basic::{BasicErrorResponse, BasicTokenType};
use oauth2::{
    AsyncHttpClient, AuthType, AuthUrl, AuthorizationCode, Client, ClientId, ClientSecret, EmptyExtraTokenFields, EndpointNotSet,
    EndpointSet, HttpRequest, HttpResponse, PkceCodeVerifier, RedirectUrl, RefreshToken, RequestTokenError,
    RevocationErrorResponseType, StandardErrorResponse, StandardRevocableToken, StandardTokenIntrospectionResponse,
    StandardTokenResponse, TokenResponse, TokenUrl,
};
use std::time::Duration;

/// A request that takes longer than this is given up. A lease is more than twice as long.
const TIMEOUT: Duration = Duration::from_secs(10);

type Answer = StandardTokenResponse<EmptyExtraTokenFields, BasicTokenType>;
type OAuthClient = Client<
    BasicErrorResponse,
    Answer,
    StandardTokenIntrospectionResponse<EmptyExtraTokenFields, BasicTokenType>,
    StandardRevocableToken,
    StandardErrorResponse<RevocationErrorResponseType>,
    EndpointSet,
    EndpointNotSet,
    EndpointNotSet,
    EndpointNotSet,
    EndpointSet,
>;

/// The client of one provider.
pub(super) struct OAuth<'a> {
    app: &'a App,
    transport: Transport,
    client: OAuthClient,
}

impl<'a> OAuth<'a> {
    pub(super) fn new(app: &'a App, http: &HttpClient) -> Result<Self> {
        let auth = &app.manifest.auth;
        let redirect = RedirectUrl::new(app.redirect_uri.clone())
            .map_err(|e| Error::invalid("malformed_redirect_uri", "the redirect URI is not an absolute URL").with_source(e))?;
        let mut client = Client::new(ClientId::new(app.client_id.clone()))
            .set_auth_uri(AuthUrl::from_url(app.resolve(&auth.authorize_url)?))
            .set_token_uri(TokenUrl::from_url(app.resolve(&auth.token_url)?))
            .set_redirect_uri(redirect)
            .set_auth_type(match auth.client_auth {
                ClientAuth::Body => AuthType::RequestBody,
                ClientAuth::Basic => AuthType::BasicAuth,
            });
        if let Some(secret) = &app.client_secret {
            client = client.set_client_secret(ClientSecret::new(secret.expose().to_owned()));
        }
        Ok(Self { app, transport: Transport(http.clone()), client })
    }

    pub(super) fn client(&self) -> &OAuthClient {
        &self.client
    }

    /// The tokens for an authorization code.
    pub(super) async fn exchange(&self, code: String, verifier: &Secret, now: DateTime<Utc>) -> Result<TokenSet> {
        let verifier = PkceCodeVerifier::new(verifier.expose().to_owned());
        let request = self.client.exchange_code(AuthorizationCode::new(code)).set_pkce_verifier(verifier);
        let answer = request.request_async(&self.transport).await.map_err(|e| self.sort(e))?;
        Ok(self.tokens(&answer, now))
    }

    /// The next tokens for a refresh token.
    pub(super) async fn refresh(&self, refresh_token: &Secret, now: DateTime<Utc>) -> Result<TokenSet> {
        let token = RefreshToken::new(refresh_token.expose().to_owned());
        let answer = self.client.exchange_refresh_token(&token).request_async(&self.transport).await.map_err(|e| self.sort(e))?;
        Ok(self.tokens(&answer, now))
    }

    fn tokens(&self, answer: &Answer, now: DateTime<Utc>) -> TokenSet {
        let auth = &self.app.manifest.auth;
        let lifetime = answer.expires_in().map(|d| i64::try_from(d.as_secs()).unwrap_or(i64::MAX)).or(auth.default_lifetime);
        let lifetime = lifetime.and_then(chrono::TimeDelta::try_seconds);
        let scopes = answer.scopes().into_iter().flatten();
        // The crate splits at spaces only; some vendors separate otherwise.
        let scopes = scopes.flat_map(|s| s.split(auth.scope_separator.as_str())).filter(|s| !s.is_empty()).map(str::to_owned);
        TokenSet {
            access_token: answer.access_token().secret().as_str().into(),
            refresh_token: answer.refresh_token().map(|t| t.secret().as_str().into()),
            scopes: scopes.collect(),
            expires_at: lifetime.and_then(|l| now.checked_add_signed(l)),
        }
    }

    /// What the token endpoint's answer means to the caller (RFC 6749 §5.2).
    fn sort(&self, error: RequestTokenError<Error, BasicErrorResponse>) -> Error {
        let sorted = match error {
            RequestTokenError::Request(error) => error,
            RequestTokenError::ServerResponse(answer) => match answer.error().to_string().as_str() {
                "invalid_grant" => Error::new(
                    ErrorKind::ReauthRequired,
                    "invalid_grant",
                    "the provider no longer accepts this grant: connect the account again",
                ),
                "temporarily_unavailable" | "server_error" | "slow_down" => {
                    Error::unavailable("provider_unavailable", "the provider's token endpoint is overloaded: call again")
                }
                code => {
                    let text = format!(
                        "the provider's token endpoint refused with `{}`: check client id, secret and redirect URI",
                        printable(code)
                    );
                    Error::new(ErrorKind::Provider, "token_refused", text)
                }
            },
            RequestTokenError::Parse(..) | RequestTokenError::Other(_) => Error::new(
                ErrorKind::Provider,
                "token_answer_malformed",
                "the provider's token endpoint answered something that is no token",
            ),
        };
        sorted.with_provider(&self.app.manifest.name)
    }
}

/// A vendor's code is shown only as far as it looks like one: free text could hold personal data.
pub(super) fn printable(code: &str) -> String {
    code.chars().filter(|c| c.is_ascii_alphanumeric() || "_.-".contains(*c)).take(64).collect()
}

/// The `oauth2` crate's requests on our client.
struct Transport(HttpClient);

impl<'c> AsyncHttpClient<'c> for Transport {
    type Error = Error;
    type Future = BoxFuture<'static, Result<HttpResponse>>;

    fn call(&'c self, request: HttpRequest) -> Self::Future {
        let http = self.0.clone();
        Box::pin(async move {
            let (parts, body) = request.into_parts();
            let malformed = |_| Error::internal("token_request", "the token request has a malformed URL");
            let url = url::Url::parse(&parts.uri.to_string()).map_err(malformed)?;
            let request = Request { method: parts.method, url, headers: parts.headers, body, timeout: TIMEOUT };
            let answer = http.send(request).await?;
            if answer.status == 429 || answer.status >= 500 {
                return Err(failure::unavailable(answer.status, &answer.headers));
            }
            let mut response = HttpResponse::new(answer.body);
            *response.status_mut() = oauth2::http::StatusCode::from_u16(answer.status).map_err(|_| {
                Error::new(ErrorKind::Provider, "token_answer_malformed", "the token endpoint answered an unknown status")
            })?;
            *response.headers_mut() = answer.headers;
            Ok(response)
        })
    }
}
