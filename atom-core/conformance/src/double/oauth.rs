//! Whether the vendor would take a request of a sign-in: by the RFCs, by its documentation (`sign_in.toml`), and by its description where that has it.

use super::judge::judge;
use super::sign_in::{path_fits, path_of};
use super::{CLIENT_ID, CLIENT_SECRET, REDIRECT_URI, Recorded, World, graphql_faults};
use crate::sign_in::{ClientAuth, Encoding, Rules, Step};
use base64::Engine;
use base64::engine::general_purpose::{STANDARD, URL_SAFE_NO_PAD};
use regex_lite::Regex;
use ring::digest::{SHA256, digest};
use serde_json::Value;
use std::collections::BTreeMap;
use url::form_urlencoded;

/// What is wrong with a request of a sign-in of this account.
pub(crate) fn faults(world: &World, step: Step, request: &Recorded, number: usize) -> Vec<String> {
    let Some(sign_in) = &world.sign_in else { return Vec::new() };
    let Some(rules) = sign_in.rules(step) else { return vec![format!("{step}: the vendor has no such request")] };
    let begun = world.account(number, |account| account.begun.clone());
    let mut judge = Judge { world, step, rules, request, number, begun, faults: Vec::new() };
    judge.place();
    judge.headers();
    judge.client();
    match step {
        Step::Authorize => judge.params(&request.query),
        Step::Identity(_) if rules.op.is_some() => {}
        Step::Identity(_) => {
            judge.params(&request.query);
            judge.no_body();
        }
        _ => judge.body(),
    }
    judge.description();
    judge.faults.into_iter().map(|fault| format!("{step}: {fault}")).collect()
}

struct Judge<'a> {
    world: &'a World,
    step: Step,
    rules: &'a Rules,
    request: &'a Recorded,
    number: usize,
    /// The parameters with which the consent was begun.
    begun: BTreeMap<String, String>,
    faults: Vec<String>,
}

impl Judge<'_> {
    fn fault(&mut self, why: impl Into<String>) {
        self.faults.push(why.into());
    }

    fn place(&mut self) {
        let method = self.rules.method(self.step);
        if self.request.method != method {
            self.fault(format!("is a {}, and the vendor takes a {method}", self.request.method));
        }
        let url = self.world.inputs.filled(&self.world.manifest.name, &self.rules.url.replace("{client_id}", CLIENT_ID));
        if !path_fits(path_of(&url), &self.request.path) {
            self.fault(format!("goes to {}, and the vendor has it at {}", self.request.path, path_of(&url)));
        }
    }

    fn headers(&mut self) {
        let rules = self.rules;
        let mut wanted: BTreeMap<&str, &str> =
            rules.headers.iter().map(|(name, value)| (name.as_str(), value.as_str())).collect();
        let has_credential = wanted.iter().any(|(name, value)| *name == "authorization" || value.contains("_token}"));
        if matches!(self.step, Step::Identity(_)) && !has_credential {
            wanted.insert("authorization", "Bearer {access_token}");
        }
        for (name, value) in wanted {
            match self.request.headers.get(name) {
                None => self.fault(format!("header `{name}` is missing")),
                Some(given) if !self.fits(value, given) => self.fault(format!("header `{name}` is not `{value}`")),
                Some(_) => {}
            }
        }
    }

    /// The client authenticates in one of the ways that the vendor takes, and in one only (RFC 6749 §2.3).
    fn client(&mut self) {
        if matches!(self.step, Step::Authorize | Step::Identity(_)) {
            return;
        }
        let params = pairs(self.request);
        let param = |name: &str| params.iter().find(|(known, _)| known == name).map(|(_, value)| value.as_str());
        let header = self.request.headers.get("authorization").map(String::as_str);
        let basic = format!("Basic {}", STANDARD.encode(format!("{CLIENT_ID}:{CLIENT_SECRET}")));
        let has_secret = param("client_secret").is_some();
        let is_so = |how: &ClientAuth| match how {
            ClientAuth::Body => {
                header.is_none() && param("client_id") == Some(CLIENT_ID) && param("client_secret") == Some(CLIENT_SECRET)
            }
            ClientAuth::Basic => header == Some(basic.as_str()) && !has_secret,
            ClientAuth::Secret => header == Some(format!("Bearer {CLIENT_SECRET}").as_str()) && !has_secret,
            ClientAuth::Token => header.is_some_and(|header| self.fits("Bearer {access_token}", header)) && !has_secret,
            ClientAuth::None => header.is_none() && !has_secret && param("client_id").is_none(),
        };
        if !self.rules.client.iter().any(is_so) {
            self.fault("the client does not authenticate in a way that the vendor takes");
        }
    }

    fn body(&mut self) {
        if !self.request.query.is_empty() {
            self.fault("parameters go into the body, never into the address (RFC 6749 §2.3.1)");
        }
        match encoding(self.request) {
            Some(encoding) if self.rules.bodies.contains(&encoding) => {}
            _ => {
                let media = &self.request.content_type;
                self.fault(format!("the vendor does not take a body of `{media}` here"));
            }
        }
        let params = pairs(self.request);
        self.params(&params);
        if self.step == Step::Exchange {
            self.verifier(&params);
        }
    }

    fn no_body(&mut self) {
        if !self.request.body.is_empty() {
            self.fault("the vendor takes no body here");
        }
    }

    fn params(&mut self, params: &[(String, String)]) {
        let rules = self.rules;
        let (required, mut known) = (rules.required(self.step), rules.optional(self.step));
        known.extend(required.keys());
        if rules.client.contains(&ClientAuth::Body) {
            known.extend(["client_id", "client_secret"]);
        }
        for (name, value) in &required {
            match params.iter().find(|(given, _)| given == name) {
                None => self.fault(format!("parameter `{name}` is missing")),
                Some((_, given)) if !self.fits(value, given) => self.fault(format!("parameter `{name}` is not `{value}`")),
                Some(_) => {}
            }
        }
        for (i, (name, value)) in params.iter().enumerate() {
            if !known.contains(&name.as_str()) {
                self.fault(format!("parameter `{name}` is unknown"));
            }
            // RFC 6749 §3.1, §3.2.
            if params[..i].iter().any(|(earlier, _)| earlier == name) {
                self.fault(format!("parameter `{name}` comes twice"));
            }
            if value.is_empty() {
                self.fault(format!("parameter `{name}` is empty"));
            }
            self.value(name, value, params);
        }
    }

    /// What the values of optional parameters must be.
    fn value(&mut self, name: &str, value: &str, params: &[(String, String)]) {
        match name {
            "scope" | "user_scope" => {
                let foreign = if self.rules.separator.as_deref() == Some(",") { ' ' } else { ',' };
                if value.contains(foreign) {
                    self.fault(format!("parameter `{name}` has scopes that are separated otherwise than the vendor wants"));
                }
            }
            "code_challenge_method" if value != "S256" => self.fault("the challenge is not made with S256 (RFC 7636 §4.2)"),
            "code_challenge" if value.len() != 43 || !params.iter().any(|(name, _)| name == "code_challenge_method") => {
                self.fault("the challenge is none of S256 (RFC 7636 §4.3)");
            }
            "token_type_hint" => {
                let token = params.iter().find(|(name, _)| name == "token").map(|(_, token)| token.as_str());
                if !token.is_some_and(|token| self.fits(&format!("{{{value}}}"), token)) {
                    self.fault("the hint is not what the token is (RFC 7009 §2.1)");
                }
            }
            _ => {}
        }
    }

    /// RFC 7636 §4.5, §4.6.
    fn verifier(&mut self, params: &[(String, String)]) {
        let verifier = params.iter().find(|(name, _)| name == "code_verifier").map(|(_, value)| value.as_str());
        match (self.begun.get("code_challenge"), verifier) {
            (None, None) => {}
            (None, Some(_)) => self.fault("there is a verifier of no challenge"),
            (Some(_), None) => self.fault("the verifier of the challenge is missing"),
            (Some(challenge), Some(verifier)) => {
                let is_plain = |c: char| c.is_ascii_alphanumeric() || "-._~".contains(c);
                let is_one = (43..=128).contains(&verifier.len()) && verifier.chars().all(is_plain);
                if !is_one || URL_SAFE_NO_PAD.encode(digest(&SHA256, verifier.as_bytes())) != *challenge {
                    self.fault("the verifier is not that of the challenge");
                }
            }
        }
    }

    fn description(&mut self) {
        let descriptions = &self.world.descriptions;
        let Some(op) = self.rules.op.as_deref().filter(|_| descriptions.is_there()) else { return };
        if let Some(service) = descriptions.graphql.as_ref().filter(|service| service.has(op)) {
            return self.faults.extend(graphql_faults(service, op, self.request));
        }
        let described: Vec<_> = descriptions.rest.iter().flat_map(|description| description.find(op)).collect();
        if described.is_empty() {
            return self.fault(format!("the description has no operation `{op}`"));
        }
        self.faults.extend(judge(&described, self.request));
    }

    /// Whether a value is one that a template stands for.
    fn fits(&self, template: &str, value: &str) -> bool {
        let account = format!("acct{}x", self.number);
        let mut pattern = String::from("^");
        let mut rest = template;
        while let Some((before, after)) = rest.split_once('{') {
            let (name, after) = after.split_once('}').unwrap_or((after, ""));
            pattern += &regex_lite::escape(before);
            pattern += &match name {
                "code" => format!("{account}-code"),
                "refresh_token" => format!("{account}-refresh"),
                "access_token" => format!("{account}-access-[0-9]+"),
                "any_token" => format!("{account}-(refresh|access-[0-9]+)"),
                "client_id" => regex_lite::escape(CLIENT_ID),
                "client_secret" => regex_lite::escape(CLIENT_SECRET),
                "redirect_uri" => regex_lite::escape(REDIRECT_URI),
                fact => {
                    let known = self.world.inputs.fact(&self.world.manifest.name, fact);
                    regex_lite::escape(&known.as_str().unwrap_or_default().replace("{account}", &account))
                }
            };
            rest = after;
        }
        pattern += &if rest == "*" { ".+".to_owned() } else { regex_lite::escape(rest) };
        Regex::new(&format!("{pattern}$")).is_ok_and(|pattern| pattern.is_match(value))
    }
}

/// How the parameters of a request are written.
pub(crate) fn encoding(request: &Recorded) -> Option<Encoding> {
    match request.content_type.split(';').next().unwrap_or_default().trim() {
        "application/x-www-form-urlencoded" => Some(Encoding::Form),
        "application/json" => Some(Encoding::Json),
        "" if request.body.is_empty() => Some(Encoding::None),
        _ => None,
    }
}

/// The parameters in a body.
pub(crate) fn pairs(request: &Recorded) -> Vec<(String, String)> {
    match encoding(request) {
        Some(Encoding::Form) => form_urlencoded::parse(&request.body).into_owned().collect(),
        Some(Encoding::Json) => {
            let document: Value = serde_json::from_slice(&request.body).unwrap_or_default();
            let members = document.as_object().cloned().unwrap_or_default();
            // The value of a parameter is a text, in JSON too.
            members.into_iter().map(|(name, value)| (name, value.as_str().unwrap_or_default().to_owned())).collect()
        }
        _ => Vec::new(),
    }
}
