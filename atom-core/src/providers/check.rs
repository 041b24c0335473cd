//! Whether the parts of a manifest fit together.

use super::auth::Revoke;
use super::body::Body;
use super::hosts::UrlTemplate;
use super::manifest::{DEFAULT_SET, Manifest, OAUTH2};
use super::methods::How;
use super::operation::{Answer, Method, Operation, Service, VARIANT};
use crate::http_client::is_loopback;
use reqwest::header::{HeaderName, HeaderValue};
use std::collections::BTreeSet;

/// The version of the grammar.
const SCHEMA: i64 = 1;

type Checked = Result<(), String>;

impl Manifest {
    pub(super) fn check(&self) -> Checked {
        if self.schema != SCHEMA {
            return Err(format!("schema = {}: this Atom reads schema {SCHEMA}", self.schema));
        }
        if self.name.is_empty() || !self.name.chars().all(|c| c.is_ascii_lowercase() || c.is_ascii_digit() || c == '-') {
            return Err(format!("name = `{}`: use small letters, digits and `-`", self.name));
        }
        let facts: BTreeSet<_> = self.facts().collect();
        for host in &self.hosts {
            if let Some(unknown) = host.names().find(|name| !facts.contains(name)) {
                return Err(format!("hosts: `{{{unknown}}}` is no input and no captured fact"));
            }
        }
        for (name, input) in &self.inputs {
            if input.default.as_ref().is_some_and(|value| !input.pattern.fits(value)) {
                return Err(format!("inputs.{name}.default: it does not fit the pattern"));
            }
        }
        for (name, value) in &self.headers {
            check_header("headers", name)?;
            HeaderValue::from_str(value).map_err(|_| format!("headers.{name}: it has characters that no header can carry"))?;
        }
        for (name, bucket) in &self.limits.buckets {
            bucket.check().map_err(|why| format!("limits.buckets.{name}: {why}"))?;
        }
        if self.limits.retry_after.iter().any(|source| source.header.is_some() == source.path.is_some()) {
            return Err("limits.retry_after: give `header` or `path`".into());
        }
        self.check_connecting()?;
        let mut seen = BTreeSet::new();
        for (name, service) in &self.services {
            self.check_url(&format!("services.{name}.base_url"), &service.base_url)?;
            self.check_token_set(&format!("services.{name}"), service.token_set.as_ref())?;
            for (op, operation) in &service.operations {
                let at = format!("services.{name}.operations.\"{op}\"");
                if !seen.insert(op) {
                    return Err(format!("{at}: another service has an operation of this name"));
                }
                self.check_operation(name, service, op, operation).map_err(|why| format!("{at}.{why}"))?;
            }
            for (step, operation) in &service.steps {
                let at = format!("services.{name}.steps.\"{step}\"");
                self.check_request(name, service, operation).map_err(|why| format!("{at}.{why}"))?;
            }
        }
        Ok(())
    }

    fn check_operation(&self, service_name: &str, service: &Service, name: &str, operation: &Operation) -> Checked {
        let base = name.split(VARIANT).next().unwrap_or_default();
        if !service.operations.contains_key(base) {
            return Err(format!("name: a variant stands beside `{base}`, which is missing"));
        }
        self.check_request(service_name, service, operation)
    }

    fn check_request(&self, service_name: &str, service: &Service, operation: &Operation) -> Checked {
        let set = operation.token_set.as_ref();
        self.check_token_set("", set).map_err(|why| why.trim_start_matches('.').to_owned())?;
        let body_record = operation.body.as_ref().and_then(Body::record);
        for record in operation.record.iter().chain(body_record) {
            if !service.records.contains_key(record) {
                return Err(format!("record = `{record}`: there is no services.{service_name}.records.{record}"));
            }
        }
        if let Some(fetch) = operation.fetch.as_ref().filter(|f| !service.operations.contains_key(*f)) {
            return Err(format!("fetch = `{fetch}`: there is no such operation in services.{service_name}"));
        }
        if let Some(then) = operation.then.as_ref().filter(|then| !service.operations.contains_key(*then)) {
            return Err(format!("then = `{then}`: there is no such operation in services.{service_name}"));
        }
        operation.session.as_ref().map_or(Ok(()), |session| session.check(service))?;
        if let Some(before) = operation.before.as_ref().filter(|before| !service.operations.contains_key(*before)) {
            return Err(format!("before = `{before}`: there is no such operation in services.{service_name}"));
        }
        if let Some(unknown) = operation.patterns.keys().find(|name| !operation.inputs.contains(*name)) {
            return Err(format!("patterns.{unknown}: nothing uses this input"));
        }
        if let Some(url) = &operation.base_url {
            self.check_url("base_url", url)?;
        }
        if let Some(bucket) = operation.bucket.as_ref().filter(|name| !self.limits.buckets.contains_key(*name)) {
            return Err(format!("bucket = `{bucket}`: there is no limits.buckets.{bucket}"));
        }
        if operation.method() == Method::Get && operation.body.is_some() {
            return Err("body: a GET has no body".into());
        }
        if operation.hook.is_none() && operation.path.is_empty() {
            return Err("path: it is missing".into());
        }
        if operation.items.is_none() && (operation.pages.is_some() || operation.items_where.is_some()) {
            return Err("items: say where the items of the list stand".into());
        }
        if operation.max_page_size.is_some_and(|size| size < 1) {
            return Err("max_page_size: it is at least 1".into());
        }
        for header in operation
            .headers
            .keys()
            .chain(service.headers.keys())
            .chain(&operation.idempotency)
            .chain(operation.answer_headers.values())
        {
            check_header("headers", header)?;
        }
        if !operation.answer_headers.is_empty() && operation.answer != Answer::Json {
            return Err("answer_headers: they are members of an answer in JSON".into());
        }
        operation.body.as_ref().map_or(Ok(()), Body::check)
    }

    fn check_connecting(&self) -> Checked {
        if self.auth.is_none() && self.methods.is_empty() {
            return Err("there is no way to connect: give `[auth]` or `[methods]`".into());
        }
        if let Some(auth) = &self.auth {
            self.check_url("auth.authorize_url", &auth.authorize_url)?;
            self.check_url("auth.token_url", &auth.token_url)?;
            let further = [
                ("auth.refresh_url", &auth.refresh_url),
                ("auth.revoke_url", &auth.revoke_url),
                ("auth.introspection_url", &auth.introspection_url),
            ];
            for (field, url) in further {
                url.as_ref().map_or(Ok(()), |url| self.check_url(field, url))?;
            }
            if self.identity.is_none() {
                return Err("identity: with `[auth]`, say whose account it is".into());
            }
            if auth.token_sets.contains_key(DEFAULT_SET) {
                return Err(format!("auth.token_sets.{DEFAULT_SET}: that is the first one's name"));
            }
            for name in auth.token_headers.keys() {
                check_header("auth.token_headers", name)?;
            }
            auth.send.as_ref().map_or(Ok(()), |send| send.check_token("auth.send"))?;
            if let Some(revoke) = &auth.revoke {
                self.check_revoke(revoke)?;
            }
        }
        if let Some(identity) = &self.identity {
            self.check_url("identity.url", &identity.url)?;
            for more in &identity.more {
                self.check_url("identity.more.url", &more.url)?;
            }
            if identity.body.is_some() && identity.graphql.is_some() {
                return Err("identity: give `body` or `graphql`, not both".into());
            }
        }
        for (name, method) in &self.methods {
            let at = format!("methods.{name}");
            if name == OAUTH2 {
                return Err(format!("{at}: this method is `[auth]`"));
            }
            if matches!(method.how, How::Device(_)) && self.auth.is_none() {
                return Err(format!("{at}: it takes its tokens from the token endpoint of `[auth]`, which is missing"));
            }
            method.check(&at, |field, url, more| self.check_url_with(field, url, more))?;
        }
        Ok(())
    }

    fn check_revoke(&self, revoke: &Revoke) -> Checked {
        let grant = BTreeSet::from(["token", "access_token", "refresh_token", "client_id", "client_secret"]);
        self.check_url_with("auth.revoke.url", &revoke.url, &grant)?;
        revoke.check("auth.revoke", &self.facts().chain(grant).collect())
    }

    fn check_token_set(&self, at: &str, name: Option<&String>) -> Checked {
        let is_known =
            |name: &String| name == DEFAULT_SET || self.auth.as_ref().is_some_and(|auth| auth.token_sets.contains_key(name));
        match name.filter(|name| !is_known(name)) {
            Some(name) => Err(format!("{at}.token_set = `{name}`: there is no auth.token_sets.{name}")),
            None => Ok(()),
        }
    }

    fn check_url(&self, field: &str, url: &UrlTemplate) -> Checked {
        self.check_url_with(field, url, &BTreeSet::new())
    }

    /// Further values are known to a method: what the user gives.
    fn check_url_with(&self, field: &str, url: &UrlTemplate, more: &BTreeSet<&str>) -> Checked {
        let facts: BTreeSet<_> = self.facts().collect();
        if let Some(unknown) = url.names().find(|name| !facts.contains(name) && !more.contains(name)) {
            return Err(format!("{field} = `{url}`: `{{{unknown}}}` is no input and no captured fact"));
        }
        url.check(&self.hosts, is_loopback).map_err(|why| format!("{field} = `{url}`: {why}"))
    }
}

pub(super) fn check_header(at: &str, name: &str) -> Checked {
    let known = HeaderName::from_bytes(name.as_bytes()).map_err(|_| format!("{at}: `{name}` is no name of a header"))?;
    if known == reqwest::header::HOST || known == reqwest::header::CONTENT_LENGTH {
        return Err(format!("{at}: `{name}` is set by the connection"));
    }
    Ok(())
}
