//! The ways to connect: one file each, which says how a credential is obtained, renewed and shown.
//!
//! [`Method`] is all that the rest of [`connect`](super) knows of them. What a manifest says about each is in the types that the files
//! implement it for (`providers/methods.rs`).

mod api_key;
mod app_installation;
mod basic;
mod client_credentials;
mod device;
mod jwt;
mod link;
mod oauth1;
mod oauth2;
mod signed_jwt;

pub(super) use device::{Poll, poll};
pub(super) use link::PUBLIC_TOKEN;
pub(super) use oauth2::source;

use super::identity::Identity;
use super::start::Pending;
use super::token_endpoint::{Answer, TokenEndpoint};
use super::{App, ConnectField, ConnectFlow, authenticate};
use crate::atom::Inner;
use crate::crypto::BoxFuture;
use crate::http_client::Request;
use crate::providers::{ConnectMethod, Facts, FieldSpec, How, InputSpec, OAUTH2};
use crate::vault::{DEFAULT, Fields, TokenSet};
use crate::{Error, ErrorKind, Result, Secret, UserId};
use chrono::{DateTime, Utc};
use std::collections::{BTreeMap, HashMap};

/// What a method works with.
#[derive(Clone, Copy)]
pub(super) struct Ask<'a> {
    pub(super) inner: &'a Inner,
    pub(super) app: &'a App,
    /// What is known of the account.
    pub(super) facts: &'a Facts,
}

/// What a connection gets from its provider, or from its user.
pub(super) struct Granted {
    /// By name; there is a `default`.
    pub(super) sets: BTreeMap<String, TokenSet>,
    /// Whose account it is, where the answer says so.
    pub(super) account: Option<Identity>,
    /// What else is known of it: what was said before, and what the provider told on the way.
    pub(super) facts: Facts,
}

impl From<TokenSet> for Granted {
    fn from(tokens: TokenSet) -> Self {
        let facts = tokens.captured.clone();
        Self { sets: BTreeMap::from([(DEFAULT.to_owned(), tokens)]), account: None, facts }
    }
}

impl Granted {
    /// With what was said about the account before. What the provider told weighs more.
    pub(super) fn knowing(mut self, inputs: &Facts) -> Self {
        for (name, value) in inputs {
            self.facts.entry(name.clone()).or_insert_with(|| value.clone());
        }
        self
    }
}

/// A consent that the user is about to give.
pub(super) struct Opening<'a> {
    pub(super) redirect_uri: &'a str,
    pub(super) scopes: &'a [String],
    pub(super) login_hint: Option<&'a str>,
    pub(super) user: UserId,
}

/// A consent that waits for the user.
pub(super) struct Opened {
    /// What the answer is recognized by. Nobody can guess it.
    pub(super) key: String,
    /// What is needed to use the answer, and is not in it.
    pub(super) secret: Secret,
    pub(super) url: Option<String>,
    /// For a provider's widget.
    pub(super) link_token: Option<String>,
}

/// One type of method.
pub(super) trait Method: Send + Sync {
    /// How it begins.
    fn flow(&self) -> ConnectFlow;

    /// Whether the credential stays as it is until somebody ends it.
    fn is_fixed(&self) -> bool {
        false
    }

    /// Whether the user agreed to it at the provider, where it can be withdrawn.
    fn is_consent(&self) -> bool {
        false
    }

    /// Whether a renewal can be asked for again when its answer was lost, because it spends nothing.
    fn is_repeatable(&self) -> bool {
        false
    }

    /// What a connection asks for where the caller does not say.
    fn scopes(&self) -> &[String] {
        &[]
    }

    /// The first credential, from what the user gave: that itself, or the first token that is got with it.
    fn obtain<'a>(&'a self, ask: Ask<'a>, fields: Fields, scopes: Option<Vec<String>>) -> BoxFuture<'a, Result<Granted>> {
        Box::pin(async move {
            if !matches!(self.flow(), ConnectFlow::Fields) {
                return Err(self.other_flow());
            }
            let given = TokenSet { fields, scopes: scopes.unwrap_or_else(|| self.scopes().to_vec()), ..Default::default() };
            let first = match self.renew(ask, DEFAULT, &given) {
                Some(token) => token.await?,
                None => TokenSet { scopes: Vec::new(), ..given.clone() },
            };
            Ok(first.into())
        })
    }

    /// Sends the user to the provider.
    fn open<'a>(&'a self, _: Ask<'a>, _: Opening<'a>) -> BoxFuture<'a, Result<Opened>> {
        Box::pin(async { Err(self.other_flow()) })
    }

    /// The first credential, from what the user came back with.
    fn complete<'a>(&'a self, _: Ask<'a>, _: Pending, _: &'a HashMap<String, String>) -> BoxFuture<'a, Result<Granted>> {
        Box::pin(async { Err(self.other_flow()) })
    }

    /// The next token set of a name; none if there is nothing to get it with. `tokens` is what it is made from.
    fn renew<'a>(&'a self, _: Ask<'a>, _name: &'a str, _tokens: &'a TokenSet) -> Option<BoxFuture<'a, Result<TokenSet>>> {
        None
    }

    /// Puts the credential into a request.
    fn authenticate(&self, _: &App, tokens: &TokenSet, request: &mut Request) -> Result<()> {
        authenticate::bearer(tokens, request)
    }

    /// What names the account, where nobody can be asked.
    fn account_id(&self, _: &TokenSet) -> Option<String> {
        None
    }

    fn other_flow(&self) -> Error {
        let text = match self.flow() {
            ConnectFlow::Fields => "this method takes what the user gives: use `connect`",
            ConnectFlow::Browser => "this method takes the user through a page of the provider: use `start`",
            ConnectFlow::Device => "this method shows the user a code: use `start_device`",
        };
        Error::new(ErrorKind::Unsupported, "other_flow", text)
    }
}

/// A method of a provider, by its name.
pub(super) struct Way<'a> {
    pub(super) name: &'a str,
    pub(super) how: &'a dyn Method,
    /// What the manifest says of it beside how it works; nothing for `[auth]`.
    pub(super) entry: Option<&'a ConnectMethod>,
}

impl<'a> Way<'a> {
    /// All ways to connect to a provider: `oauth2` first, then by name.
    pub(super) fn all(app: &'a App) -> Vec<Self> {
        let auth = app.manifest.auth.as_ref().map(|auth| Self { name: OAUTH2, how: auth, entry: None });
        let others = app.manifest.methods.iter().map(|(name, entry)| Self { name, how: how(&entry.how), entry: Some(entry) });
        auth.into_iter().chain(others).collect()
    }

    pub(super) fn find(app: &'a App, name: &str) -> Result<Self> {
        let auth =
            app.manifest.auth.as_ref().filter(|_| name == OAUTH2).map(|auth| Self { name: OAUTH2, how: auth, entry: None });
        let other = app.manifest.methods.get_key_value(name);
        let other = other.map(|(name, entry)| Self { name, how: how(&entry.how), entry: Some(entry) });
        auth.or(other).ok_or_else(|| {
            let names: Vec<_> = Self::all(app).iter().map(|way| way.name).collect();
            let text = format!("{} has no such method: use {}", app.manifest.title, names.join(", "));
            Error::invalid("unknown_connect_method", text).with_provider(&app.manifest.name)
        })
    }

    /// The one that is named, or else the only or usual one that begins so.
    pub(super) fn choose(app: &'a App, name: Option<&str>, flow: ConnectFlow) -> Result<Self> {
        if let Some(name) = name {
            let way = Self::find(app, name)?;
            let fits = way.how.flow() == flow;
            return if fits { Ok(way) } else { Err(way.how.other_flow().with_provider(&app.manifest.name)) };
        }
        let mut fitting: Vec<_> = Self::all(app).into_iter().filter(|way| way.how.flow() == flow).collect();
        let is_plain = fitting.len() == 1 || fitting.first().is_some_and(|way| way.name == OAUTH2);
        if is_plain {
            return Ok(fitting.swap_remove(0));
        }
        let names: Vec<_> = fitting.iter().map(|way| way.name).collect();
        let error = if names.is_empty() {
            let text = format!("{} has no method that begins so: see the `methods` of the provider", app.manifest.title);
            Error::new(ErrorKind::Unsupported, "other_flow", text)
        } else {
            Error::invalid("method_needed", format!("say which `method` to use: {}", names.join(", ")))
        };
        Err(error.with_provider(&app.manifest.name))
    }

    /// For people.
    pub(super) fn describe(&self, app: &App) -> super::ConnectMethod {
        let field = |spec: &FieldSpec| ConnectField {
            name: spec.name.clone(),
            title: spec.title.clone(),
            is_secret: spec.secret,
            is_required: !spec.optional,
            pattern: spec.pattern.as_ref().map(|pattern| pattern.text.clone()),
        };
        let input = |(name, spec): (&String, &InputSpec)| ConnectField {
            name: name.clone(),
            title: spec.title.clone(),
            is_secret: false,
            is_required: !spec.optional && spec.default.is_none(),
            pattern: Some(spec.pattern.text.clone()),
        };
        super::ConnectMethod {
            name: self.name.to_owned(),
            title: self.entry.map_or_else(|| format!("Sign in at {}", app.manifest.title), |entry| entry.title.clone()),
            flow: self.how.flow(),
            fields: self.fields().iter().map(field).chain(self.inputs(app).map(input)).collect(),
        }
    }

    /// What the method asks for and the provider does, of which the user is asked once.
    fn inputs<'m>(&self, app: &'m App) -> impl Iterator<Item = (&'m String, &'m InputSpec)> {
        let fields = self.fields();
        app.manifest.inputs.iter().filter(|(name, _)| !fields.iter().any(|field| field.name == **name))
    }

    fn fields(&self) -> &'a [FieldSpec] {
        self.entry.map_or(&[], |entry| &entry.fields)
    }

    /// What the user gave, checked: the fields of the credential, and what is said about the account. A value is never shown.
    pub(super) fn check(&self, app: &App, mut given: HashMap<String, Secret>) -> Result<(Fields, Facts)> {
        let named = app.manifest.inputs.keys().filter_map(|name| Some((name.clone(), given.get(name)?.expose().to_owned())));
        let facts = inputs(app, named.collect())?;
        given.retain(|name, _| self.inputs(app).all(|(input, _)| input != name));
        let mut fields = Fields::new();
        for spec in self.fields() {
            let value = given.remove(&spec.name).filter(|value| !value.expose().trim().is_empty());
            match value {
                Some(value) if spec.pattern.as_ref().is_some_and(|pattern| !pattern.fits(value.expose())) => {
                    let text = format!("`{}` ({}) does not look as it should: copy it again, whole", spec.name, spec.title);
                    return Err(Error::invalid("malformed_field", text));
                }
                Some(value) => drop(fields.insert(spec.name.clone(), value)),
                None if spec.optional => {}
                None => return Err(Error::invalid("missing_field", format!("`{}` ({}) is missing", spec.name, spec.title))),
            }
        }
        if given.is_empty() {
            return Ok((fields, facts));
        }
        let known: Vec<_> = self.fields().iter().map(|spec| spec.name.as_str()).collect();
        let known = if known.is_empty() { "none".to_owned() } else { known.join(", ") };
        Err(Error::invalid("unknown_field", format!("a field is given that `{}` does not have: it has {known}", self.name)))
    }

    /// What must not come back in an answer. What is short may stand there by chance.
    pub(super) fn secrets<'t>(&self, tokens: &'t TokenSet) -> impl Iterator<Item = &'t Secret> + use<'a, 't> {
        let secret = self.fields().iter().filter(|spec| spec.secret).filter_map(|spec| tokens.fields.get(&spec.name));
        tokens.access_token.iter().chain(secret).filter(|secret| secret.expose().len() >= 8)
    }

    /// What was granted, marked as this method's.
    pub(super) fn mark(&self, mut granted: Granted) -> Granted {
        granted.sets.values_mut().for_each(|tokens| self.name.clone_into(&mut tokens.method));
        granted
    }
}

fn how(how: &How) -> &dyn Method {
    match how {
        How::ApiKey(method) => method,
        How::Basic(method) => method,
        How::ClientCredentials(method) => method,
        How::SignedJwt(method) => method,
        How::AppInstallation(method) => method,
        How::Device(method) => method,
        How::Oauth1(method) => method,
        How::Link(method) => method,
    }
}

/// The refusal of what the user gave. Nothing is stored.
pub(super) fn credentials_refused() -> Error {
    let text = "the provider refuses these credentials: check them and call again";
    Error::invalid("credentials_refused", text)
}

/// The refusal of a credential that was accepted before.
fn credentials_ended() -> Error {
    let text = "the provider no longer accepts these credentials: connect the account again";
    Error::new(ErrorKind::ReauthRequired, "credentials_refused", text)
}

/// What is said about an account, checked, with the values that are usual where nothing is said.
pub(super) fn inputs(app: &App, mut given: HashMap<String, String>) -> Result<Facts> {
    let mut facts = Facts::new();
    for (name, spec) in &app.manifest.inputs {
        let value = given.remove(name).map(|value| value.trim().to_owned()).filter(|value| !value.is_empty());
        match value.or_else(|| spec.default.clone()) {
            Some(value) if !spec.pattern.fits(&value) => {
                let text = format!("`{name}` ({}) does not look as it should: correct it and call again", spec.title);
                return Err(Error::invalid("malformed_field", text).with_provider(&app.manifest.name));
            }
            Some(value) => drop(facts.insert(name.clone(), value)),
            None if spec.optional => {}
            None => {
                let text = format!("`{name}` ({}) is missing: give it among the inputs", spec.title);
                return Err(Error::invalid("missing_field", text).with_provider(&app.manifest.name));
            }
        }
    }
    if given.is_empty() {
        return Ok(facts);
    }
    let known: Vec<_> = app.manifest.inputs.keys().map(String::as_str).collect();
    let known = if known.is_empty() { "none".to_owned() } else { known.join(", ") };
    let text = format!("an input is given that {} does not have: it has {known}", app.manifest.title);
    Err(Error::invalid("unknown_field", text).with_provider(&app.manifest.name))
}

/// The token set for a grant that is made of the credentials themselves: a refusal is a refusal of those.
async fn tokens(endpoint: &TokenEndpoint<'_>, grant_type: &str, form: &[(&str, &str)], now: DateTime<Utc>) -> Result<TokenSet> {
    match endpoint.ask(grant_type, form).await? {
        Answer::Granted(answer) => endpoint.read(&answer, now),
        Answer::Refused(code) => Err(match code.as_str() {
            "invalid_client" | "invalid_grant" | "unauthorized_client" | "access_denied" => {
                credentials_ended().with_provider(&endpoint.app.manifest.name)
            }
            code => endpoint.refusal(code),
        }),
    }
}
