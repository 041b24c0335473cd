//! The providers of this installation: manifest, OAuth client, and where requests really go.

use super::methods::Way;
use super::outlet::Outlet;
use super::registered::Definition;
use super::{ConnectFlow, Provider};
use crate::atom::Inner;
use crate::config::ProviderApp;
use crate::http_client::is_loopback;
use crate::integrations::hooks::Hooks;
use crate::oauth::RedirectUris;
use crate::providers::{self, Facts, Manifest, ManifestChange, UrlTemplate, Vars};
use crate::vault::TokenSet;
use crate::{Error, ErrorKind, Result, Secret, WorkspaceProviderId};
use chrono::{DateTime, TimeDelta, Utc};
use std::collections::HashMap;
use std::sync::Arc;
use url::Url;

/// One provider with the host's client.
pub(crate) struct App {
    pub(crate) manifest: Arc<Manifest>,
    pub(crate) client_id: String,
    pub(crate) client_secret: Option<Secret>,
    pub(crate) redirect_uris: RedirectUris,
    /// Whether tokens may leave.
    pub(super) export_tokens: bool,
    /// What the host changed of a built-in manifest.
    overrides: Vec<ManifestChange>,
    development_endpoint: Option<Url>,
    /// What a workspace registered, where it is no provider of the installation.
    own: Option<Definition>,
}

/// All of them, by name.
pub(crate) struct Apps(HashMap<String, Arc<App>>);

impl Apps {
    pub(crate) fn new(apps: Vec<ProviderApp>, hooks: &Hooks) -> Result<Self> {
        let mut known = HashMap::new();
        for app in apps {
            let app = App::new(app)?;
            hooks.check(&app.manifest)?;
            let name = app.manifest.name.clone();
            if known.insert(name.clone(), Arc::new(app)).is_some() {
                return Err(Error::invalid("provider_twice", format!("provider `{name}` is configured twice: keep one")));
            }
        }
        let apps = Self(known);
        apps.check_redirects()?;
        Ok(apps)
    }

    /// Two providers that answer at one address cannot be told apart there, unless both name themselves in every answer (RFC 9700 §4.4.2).
    fn check_redirects(&self) -> Result<()> {
        let mut seen: HashMap<&str, &App> = HashMap::new();
        for app in self.all() {
            let names_itself = |app: &App| app.manifest.auth.as_ref().is_some_and(|auth| auth.issuer_required);
            for uri in app.redirect_uris.all() {
                let Some(other) = seen.insert(uri, app) else { continue };
                if other.manifest.name != app.manifest.name && !(names_itself(app) && names_itself(other)) {
                    let (one, two) = (&other.manifest.name, &app.manifest.name);
                    let text = format!(
                        "`{one}` and `{two}` share a redirect URI, so that an answer of one could be taken for the other's: give each its own"
                    );
                    return Err(Error::invalid("redirect_uri_shared", text));
                }
            }
        }
        Ok(())
    }

    /// What is configured, for people.
    pub(crate) fn list(&self) -> Vec<Provider> {
        self.all().into_iter().map(App::describe).collect()
    }

    /// What is configured, by name.
    pub(super) fn all(&self) -> Vec<&App> {
        let mut apps: Vec<_> = self.0.values().map(|app| &**app).collect();
        apps.sort_by(|a, b| a.manifest.name.cmp(&b.manifest.name));
        apps
    }

    /// Whether a provider is configured.
    pub(crate) fn has(&self, provider: &str) -> bool {
        self.0.contains_key(provider)
    }

    pub(crate) fn get(&self, provider: &str) -> Result<Arc<App>> {
        self.0.get(provider).cloned().ok_or_else(|| {
            let mut names: Vec<_> = self.0.keys().map(String::as_str).collect();
            names.sort_unstable();
            let names = if names.is_empty() { "none".to_owned() } else { names.join(", ") };
            let text = format!("this provider is not configured here (configured: {names}): pass it in `providers` when opening");
            Error::new(ErrorKind::NotFound, "unknown_provider", text)
        })
    }
}

impl App {
    fn new(app: ProviderApp) -> Result<Self> {
        let unknown = || {
            let names: Vec<_> = providers::names().collect();
            let text = format!("`{}` is not in the catalogue ({}): pass a manifest", app.provider, names.join(", "));
            Error::invalid("unknown_provider", text)
        };
        let mut overrides = Vec::new();
        let manifest = match &app.manifest {
            Some(_) if app.override_manifest.is_some() => {
                return Err(Error::invalid("malformed_option", "give `manifest` or `override_manifest`, not both"));
            }
            // A provider of the host's own cannot take the name, and so the callers, of a built-in one.
            Some(_) if providers::names().any(|name| name == app.provider) && app.development_endpoint.is_none() => {
                return Err(Error::invalid(
                    "provider_is_built_in",
                    "this provider is built in: give your own manifest another name",
                ));
            }
            Some(text) => Manifest::parse(&app.provider, text)?,
            None => match &app.override_manifest {
                Some(changes) => {
                    let (manifest, found) = providers::built_in_with(&app.provider, changes).ok_or_else(unknown)??;
                    overrides = found;
                    manifest
                }
                None => providers::built_in(&app.provider).ok_or_else(unknown)??,
            },
        };
        if manifest.name != app.provider {
            let text = format!("the manifest is for `{}`, not for `{}`: use one name", manifest.name, app.provider);
            return Err(Error::invalid("malformed_manifest", text));
        }
        // A provider without a browser in any of its methods needs no place to come back to.
        let first = Some(app.redirect_uri).filter(|uri| !uri.is_empty() || manifest.auth.is_some());
        let redirect_uris = RedirectUris::new(first.into_iter().chain(app.redirect_uris.into_iter().flatten()).collect())?;
        Ok(Self {
            development_endpoint: app.development_endpoint.as_deref().map(loopback).transpose()?,
            manifest: Arc::new(manifest),
            overrides,
            client_id: app.client_id,
            client_secret: app.client_secret,
            redirect_uris,
            export_tokens: app.export_tokens.unwrap_or(false),
            own: None,
        })
    }

    /// A provider of a workspace. Its tokens stay inside.
    pub(super) fn registered(own: Definition, manifest: Arc<Manifest>, callback_url: Option<&str>) -> Result<Self> {
        let mut app = Self::unregistered(manifest);
        app.client_id.clone_from(&own.client_id);
        app.client_secret = own.client_secret.as_deref().map(Secret::from);
        let is_sent_back = Way::all(&app).iter().any(|way| way.how.flow() == ConnectFlow::Browser);
        // An address of its own: an answer at it can be no other provider's (RFC 9700 §4.4).
        let uri = callback_url.filter(|_| is_sent_back).map(|url| format!("{url}/{}", own.id));
        app.redirect_uris = RedirectUris::new(uri.into_iter().collect())?;
        app.own = Some(own);
        Ok(app)
    }

    /// What a manifest would be a provider of.
    pub(crate) fn unregistered(manifest: Arc<Manifest>) -> Self {
        Self {
            manifest,
            client_id: String::new(),
            client_secret: None,
            redirect_uris: RedirectUris::none(),
            export_tokens: false,
            overrides: Vec::new(),
            development_endpoint: None,
            own: None,
        }
    }

    /// What a workspace registered.
    pub(super) fn own(&self) -> Option<&Definition> {
        self.own.as_ref()
    }

    /// Which provider of its workspace it is, and as of which revision; none for one of the installation.
    pub(super) fn registration(&self) -> Option<(WorkspaceProviderId, i64)> {
        self.own.as_ref().map(|own| (own.id, own.revision))
    }

    /// The way out for its requests.
    pub(crate) fn outlet<'a>(&self, inner: &'a Inner) -> Outlet<'a> {
        if self.own.is_some() { Outlet::Guarded(&inner.egress) } else { Outlet::Host(&inner.http) }
    }

    pub(super) fn describe(&self) -> Provider {
        let manifest = &self.manifest;
        Provider {
            name: manifest.name.clone(),
            title: manifest.title.clone(),
            docs_url: manifest.docs.clone(),
            verified_at: manifest.verified_at.clone(),
            services: manifest.services.keys().cloned().collect(),
            operations: manifest.operations().map(|(_, _, name, _)| name.to_owned()).collect(),
            capabilities: providers::capabilities(manifest),
            overrides: self.overrides.clone(),
            methods: Way::all(self).iter().map(|way| way.describe(self)).collect(),
        }
    }

    /// When a grant that was used now is used again, lest the provider end it as forgotten.
    pub(super) fn keep_alive_at(&self, tokens: &TokenSet, now: DateTime<Utc>) -> Option<DateTime<Utc>> {
        let hours = self.manifest.auth.as_ref()?.keep_alive_hours.filter(|_| tokens.refresh_token.is_some())?;
        now.checked_add_signed(TimeDelta::hours(hours.into()))
    }

    /// A URL of the manifest, filled with what is known of an account, and where requests for it go.
    pub(crate) fn place(&self, url: &UrlTemplate, facts: &Facts) -> Result<Url> {
        self.resolve(&url.fill(facts).map_err(|name| self.unfit(&name))?, facts)
    }

    /// The same with further values: what the user gave.
    pub(super) fn place_with(&self, url: &UrlTemplate, mut vars: Vars, facts: &Facts) -> Result<Url> {
        for (name, value) in facts {
            vars.entry(name.clone()).or_insert_with(|| value.as_str().into());
        }
        self.resolve(&url.fill_with(&vars).map_err(|name| self.unfit(&name))?, facts)
    }

    /// What stands in an address is missing, or would lead elsewhere.
    fn unfit(&self, name: &str) -> Error {
        let text = format!(
            "`{name}` stands in the address of the provider, and is missing or does not fit there: connect the account again with it"
        );
        Error::invalid("malformed_field", text).with_provider(&self.manifest.name)
    }

    /// Where a request for `url` goes: to a host that the manifest names, or to the development endpoint.
    pub(crate) fn resolve(&self, url: &Url, facts: &Facts) -> Result<Url> {
        self.resolve_if(url, self.manifest.allows(url.host_str().unwrap_or_default(), facts))
    }

    /// The same for an address of content that the vendor led to.
    pub(crate) fn resolve_content(&self, url: &Url) -> Result<Url> {
        self.resolve_if(url, self.manifest.leads_to(url.host_str().unwrap_or_default()))
    }

    /// The same for an address that content is sent to, which is its own credential.
    pub(crate) fn resolve_upload(&self, url: &Url) -> Result<Url> {
        self.resolve_if(url, self.manifest.uploads_to(url.host_str().unwrap_or_default()))
    }

    fn resolve_if(&self, url: &Url, is_known: bool) -> Result<Url> {
        let refused = |text: &str| Err(Error::invalid("host_not_allowed", text).with_provider(&self.manifest.name));
        // An address that a stand-in gave leads to the stand-in.
        if self.development_endpoint.as_ref().is_some_and(|endpoint| endpoint.origin() == url.origin()) {
            return Ok(url.clone());
        }
        if !is_known {
            return refused("this host does not belong to the provider: its manifest lists the hosts that may see the token");
        }
        if !url.username().is_empty() || url.password().is_some() {
            return refused("a URL with a user name in it is not sent");
        }
        if let Some(endpoint) = &self.development_endpoint {
            let mut url = url.clone();
            let moved = url.set_scheme(endpoint.scheme()).and_then(|()| url.set_host(endpoint.host_str()).map_err(|_| ()));
            return match moved.and_then(|()| url.set_port(endpoint.port())) {
                Ok(()) => Ok(url),
                Err(()) => refused("the development endpoint cannot take this URL"),
            };
        }
        if url.scheme() != "https" && !is_loopback(url) {
            return refused("requests with a token are sent over https only");
        }
        Ok(url.clone())
    }
}

fn loopback(text: &str) -> Result<Url> {
    let url = Url::parse(text).ok().filter(is_loopback);
    url.ok_or_else(|| Error::invalid("endpoint_not_loopback", "a development endpoint is a URL on 127.0.0.1, localhost or [::1]"))
}
