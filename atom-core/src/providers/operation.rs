//! One product of a provider, and its operations.

use super::body::Body;
use super::condition::Condition;
use super::enums::{EnumTable, Enums};
use super::fields::Record;
use super::hosts::UrlTemplate;
use super::methods::Pattern;
use super::pages::Pages;
use super::path::Path;
use super::session::Session;
use super::template::{Template, TemplateJson, Vars};
use serde::Deserialize;
use serde::de::{Deserializer, MapAccess, SeqAccess, Visitor, value::MapAccessDeserializer};
use std::collections::{BTreeMap, BTreeSet};
use std::fmt;
use std::sync::Arc;

/// What a variant's name is joined with.
pub(crate) const VARIANT: char = '+';
/// The record that was read before.
pub(crate) const BEFORE: &str = "existing";
/// What every list may be given, whether the vendor has it or not.
pub(crate) const PAGING: [&str; 2] = ["page_size", "cursor"];

/// One product of the provider.
#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct Service {
    pub(crate) base_url: UrlTemplate,
    /// What a connection that uses this service asks for.
    #[serde(default)]
    pub(crate) scopes: Vec<String>,
    /// The token set that its requests are authenticated with. Left out: the first.
    pub(crate) token_set: Option<String>,
    /// Sent with every request.
    #[serde(default)]
    pub(crate) headers: BTreeMap<String, HeaderTemplate>,
    #[serde(default)]
    pub(crate) enums: BTreeMap<String, Arc<EnumTable>>,
    /// Parts of GraphQL documents, by name.
    #[serde(default)]
    pub(crate) fragments: BTreeMap<String, String>,
    #[serde(default)]
    pub(crate) records: BTreeMap<String, Record>,
    #[serde(default)]
    pub(crate) operations: BTreeMap<String, Operation>,
    /// Requests that are parts of operations, and are not called by their names.
    #[serde(default)]
    pub(crate) steps: BTreeMap<String, Operation>,
}

/// How a unified operation, or one of the vendor's own, is carried out.
#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct Operation {
    /// The vendor's own name of the call.
    pub(crate) vendor_op: String,
    /// For tools.
    pub(crate) title: Option<String>,
    pub(crate) description: Option<String>,
    /// Left out: GET, or POST where there is a body.
    pub(crate) method: Option<Method>,
    /// Instead of the service's: content often has a host of its own.
    pub(crate) base_url: Option<UrlTemplate>,
    #[serde(default)]
    pub(crate) path: Template,
    /// What the whole of an input looks like. An id that is put into a path with its slashes addresses nothing else then.
    #[serde(default)]
    pub(crate) patterns: BTreeMap<String, Pattern>,
    #[serde(default)]
    pub(crate) query: BTreeMap<String, Param>,
    #[serde(default)]
    pub(crate) headers: BTreeMap<String, HeaderTemplate>,
    pub(crate) body: Option<Body>,
    pub(crate) effect: Effect,
    /// What it needs beyond the service's scopes.
    #[serde(default)]
    pub(crate) scopes: Vec<String>,
    /// The token set, where it is another than the service's.
    pub(crate) token_set: Option<String>,
    /// Values for inputs that the caller left out.
    #[serde(default)]
    pub(crate) defaults: BTreeMap<String, serde_json::Value>,
    /// The vendor's own bound.
    pub(crate) max_page_size: Option<i64>,
    /// Inputs that need not be used, because another one carries what they say.
    #[serde(default)]
    pub(crate) ignore: Vec<String>,
    /// Where the items of a list stand: this is what makes an operation a list.
    pub(crate) items: Option<Path>,
    /// Where the one record stands, if it is not the whole answer; of a list there, the first.
    /// Beside `items`: where the record stands in each of them.
    pub(crate) item: Option<Path>,
    pub(crate) items_where: Option<Condition>,
    /// The record type of the answer, by its name in `records`.
    pub(crate) record: Option<String>,
    pub(crate) pages: Option<Pages>,
    /// Short for `pages = { by = "cursor", next = … }`.
    next: Option<Path>,
    /// Calls this operation with the `id` of the answer, or of each item, where the vendor returns only ids.
    pub(crate) fetch: Option<String>,
    /// Calls this operation with the `id` of the answer, which stays the answer.
    pub(crate) then: Option<String>,
    /// Calls this operation with the same `id` first, whose record is known as `{existing}` then.
    pub(crate) before: Option<String>,
    #[serde(default)]
    pub(crate) answer: Answer,
    /// Headers of the answer that stand in its document as members: some vendors say an id nowhere else.
    #[serde(default)]
    pub(crate) answer_headers: BTreeMap<String, String>,
    /// Instead of the provider's.
    pub(crate) success: Option<Condition>,
    /// The budget, by its name in `limits.buckets`.
    pub(crate) bucket: Option<String>,
    /// A header that makes a write repeatable: the same value at each attempt of one call.
    pub(crate) idempotency: Option<String>,
    /// How longer content is sent.
    pub(crate) session: Option<Session>,
    /// A function that carries it out instead.
    pub(crate) hook: Option<String>,
    /// The inputs that are used, by name.
    #[serde(skip)]
    pub(crate) inputs: BTreeSet<String>,
}

#[derive(Clone, Copy, Debug, PartialEq, Deserialize)]
#[serde(rename_all = "UPPERCASE")]
pub(crate) enum Method {
    Get,
    Post,
    Put,
    Patch,
    Delete,
}

impl From<Method> for reqwest::Method {
    fn from(method: Method) -> Self {
        match method {
            Method::Get => Self::GET,
            Method::Post => Self::POST,
            Method::Put => Self::PUT,
            Method::Patch => Self::PATCH,
            Method::Delete => Self::DELETE,
        }
    }
}

/// What a repetition would do.
#[derive(Clone, Copy, Debug, PartialEq, Deserialize)]
#[serde(rename_all = "snake_case")]
pub(crate) enum Effect {
    /// Nothing: it only reads.
    Read,
    /// The same as once.
    Idempotent,
    /// It again: repeated only where it is certain that nothing was done.
    Once,
}

/// What comes back.
#[derive(Clone, Copy, Debug, Default, PartialEq, Deserialize)]
#[serde(rename_all = "snake_case")]
pub(crate) enum Answer {
    #[default]
    Json,
    Bytes,
    Text,
    /// Whatever it is, it is not read.
    None,
}

/// A query parameter: a template, or several that are joined, each left out where it has no value.
#[derive(Debug)]
pub(crate) enum Param {
    One(Template),
    /// `begin` stands before them, if there are any.
    Joined {
        begin: String,
        with: String,
        parts: Vec<Param>,
    },
}

/// A header: a text, or a JSON document that is written on one line.
#[derive(Debug)]
pub(crate) enum HeaderTemplate {
    Text(Template),
    Json(TemplateJson),
}

impl Service {
    /// The operation that is carried out under a name for these inputs: the variant with the most names, of which all are
    /// given. `a|b` is one name, given with either.
    pub(crate) fn choose<'a>(&'a self, name: &'a str, is_given: impl Fn(&str) -> bool) -> Option<(&'a str, &'a Operation)> {
        let base = self.operations.get_key_value(name).filter(|_| !name.contains(VARIANT))?;
        let from = format!("{name}{VARIANT}");
        let variants = self.operations.range(from.clone()..).take_while(|(known, _)| known.starts_with(&from));
        let is_one_given = |names: &str| names.split('|').any(&is_given);
        let fitting = variants.filter(|(known, _)| known[from.len()..].split(VARIANT).all(is_one_given));
        let best = fitting.max_by_key(|(known, _)| known.matches(VARIANT).count()).unwrap_or(base);
        Some((best.0, best.1))
    }

    /// The operations that are called by their names, which variants are not.
    pub(crate) fn named(&self) -> impl Iterator<Item = (&str, &Operation)> {
        self.operations.iter().filter(|(name, _)| !name.contains(VARIANT)).map(|(name, operation)| (name.as_str(), operation))
    }

    /// An operation and its variants.
    pub(crate) fn with_variants<'a>(&'a self, name: &'a str) -> impl Iterator<Item = &'a Operation> {
        let is_variant =
            move |known: &str| known.strip_prefix(name).is_some_and(|rest| rest.is_empty() || rest.starts_with(VARIANT));
        self.operations.iter().filter(move |(known, _)| is_variant(known)).map(|(_, operation)| operation)
    }

    /// Puts in what parts of it name: tables, fragments, and the inputs that each operation uses.
    pub(super) fn complete(&mut self) -> Result<(), String> {
        let enums: &Enums = &self.enums;
        for (name, record) in &mut self.records {
            record.bind(enums).map_err(|why| format!("records.{name}.{why}"))?;
        }
        for header in self.headers.values_mut() {
            header.bind(enums).map_err(|why| format!("headers: {why}"))?;
        }
        for (name, operation) in self.operations.iter_mut().chain(&mut self.steps) {
            let at = |why: String| format!("operations.\"{name}\": {why}");
            operation.bind(enums, &self.fragments).map_err(at)?;
            let body_record = operation.body.as_ref().and_then(Body::record);
            let written = body_record.and_then(|record| self.records.get(record)).into_iter().flat_map(Record::writable);
            let templates = operation.templates();
            let named = templates.iter().flat_map(|template| template.names());
            let content = operation.body.as_ref().map(Body::content_inputs).unwrap_or_default();
            operation.inputs = named.chain(written).chain(content.iter().copied()).map(str::to_owned).collect();
            operation.inputs.remove(BEFORE);
        }
        Ok(())
    }
}

impl Operation {
    pub(crate) fn method(&self) -> Method {
        self.method.unwrap_or(if self.body.is_some() { Method::Post } else { Method::Get })
    }

    /// Every template that inputs are put into.
    pub(crate) fn templates(&self) -> Vec<&Template> {
        let mut found = Vec::new();
        self.address_templates(&mut found);
        if let Some(body) = &self.body {
            body.templates(&mut found);
        }
        found
    }

    fn address_templates<'a>(&'a self, found: &mut Vec<&'a Template>) {
        found.push(&self.path);
        self.query.values().for_each(|param| param.templates(found));
        for header in self.headers.values() {
            match header {
                HeaderTemplate::Text(template) => found.push(template),
                HeaderTemplate::Json(json) => json.templates(found),
            }
        }
    }

    /// The inputs that say what is meant, not what is written: those of path, query and headers.
    pub(crate) fn addressing(&self) -> BTreeSet<&str> {
        let mut found = Vec::new();
        self.address_templates(&mut found);
        found.into_iter().flat_map(Template::names).collect()
    }

    /// Whether it returns a list in pages.
    pub(crate) fn is_list(&self) -> bool {
        self.items.is_some()
    }

    /// Whether a condition or a page's end is looked for inside of its items, which must be read then.
    pub(crate) fn looks_into_items(&self) -> bool {
        let Some(items) = &self.items else { return false };
        let conditions = self.success.iter().chain(self.pages.as_ref().and_then(Pages::more));
        let place = match &self.pages {
            Some(Pages::Cursor { next, .. } | Pages::Url { next, .. }) => Some(next),
            Some(Pages::Offset { total, .. }) => total.as_ref(),
            Some(Pages::Page { pages, .. }) => pages.as_ref(),
            Some(Pages::Last { .. } | Pages::Link {}) | None => None,
        };
        conditions.flat_map(Condition::paths).chain(place).any(|path| path.is_below(items))
    }

    fn bind(&mut self, enums: &Enums, fragments: &BTreeMap<String, String>) -> Result<(), String> {
        if let Some(next) = self.next.take() {
            if self.pages.is_some() {
                return Err("give `next` or `pages`, not both".into());
            }
            self.pages = Some(Pages::Cursor { next, more: None });
        }
        self.path.bind(enums)?;
        self.query.values_mut().try_for_each(|param| param.bind(enums))?;
        self.headers.values_mut().try_for_each(|header| header.bind(enums))?;
        self.body.as_mut().map_or(Ok(()), |body| body.bind(enums, fragments))
    }
}

impl Param {
    fn templates<'a>(&'a self, found: &mut Vec<&'a Template>) {
        match self {
            Self::One(template) => found.push(template),
            Self::Joined { parts, .. } => parts.iter().for_each(|part| part.templates(found)),
        }
    }

    fn bind(&mut self, enums: &Enums) -> Result<(), String> {
        match self {
            Self::One(template) => template.bind(enums),
            Self::Joined { parts, .. } => parts.iter_mut().try_for_each(|part| part.bind(enums)),
        }
    }

    /// The text, or nothing where it has no value.
    pub(crate) fn render(&self, vars: &Vars) -> Option<String> {
        match self {
            Self::One(template) => template.render(vars, str::to_owned),
            Self::Joined { begin, with, parts } => {
                let parts: Vec<_> = parts.iter().filter_map(|part| part.render(vars)).collect();
                (!parts.is_empty()).then(|| format!("{begin}{}", parts.join(with)))
            }
        }
    }
}

impl HeaderTemplate {
    fn bind(&mut self, enums: &Enums) -> Result<(), String> {
        match self {
            Self::Text(template) => template.bind(enums),
            Self::Json(json) => json.bind(enums),
        }
    }
}

impl<'de> Deserialize<'de> for Param {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        #[derive(Deserialize)]
        #[serde(deny_unknown_fields)]
        struct Joined {
            #[serde(default)]
            begin: String,
            with: String,
            parts: Vec<Param>,
        }
        struct Either;
        impl<'de> Visitor<'de> for Either {
            type Value = Param;
            fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str("a template, or a table with `with` and `parts`")
            }
            fn visit_str<E: serde::de::Error>(self, text: &str) -> Result<Param, E> {
                Template::parse(text).map(Param::One).map_err(E::custom)
            }
            fn visit_map<M: MapAccess<'de>>(self, map: M) -> Result<Param, M::Error> {
                let Joined { begin, with, parts } = Joined::deserialize(MapAccessDeserializer::new(map))?;
                Ok(Param::Joined { begin, with, parts })
            }
            fn visit_seq<S: SeqAccess<'de>>(self, _: S) -> Result<Param, S::Error> {
                Err(serde::de::Error::custom("write `{ with = \" and \", parts = […] }`"))
            }
        }
        deserializer.deserialize_any(Either)
    }
}

impl<'de> Deserialize<'de> for HeaderTemplate {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        struct Either;
        impl<'de> Visitor<'de> for Either {
            type Value = HeaderTemplate;
            fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str("a template, or a table that is sent as JSON")
            }
            fn visit_str<E: serde::de::Error>(self, text: &str) -> Result<HeaderTemplate, E> {
                Template::parse(text).map(HeaderTemplate::Text).map_err(E::custom)
            }
            fn visit_map<M: MapAccess<'de>>(self, map: M) -> Result<HeaderTemplate, M::Error> {
                TemplateJson::deserialize(MapAccessDeserializer::new(map)).map(HeaderTemplate::Json)
            }
        }
        deserializer.deserialize_any(Either)
    }
}
