//! What is sent with a request.

use super::enums::Enums;
use super::path::Path;
use super::template::{Template, TemplateJson};
use serde::Deserialize;
use serde::de::{Deserializer, SeqAccess, Visitor};
use std::collections::BTreeMap;
use std::fmt;

/// A body by its encoding. Where it has a `record`, the inputs are written through that field table; `json` is put on top.
#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields, rename_all = "snake_case", tag = "encoding")]
pub(crate) enum Body {
    Json {
        record: Option<String>,
        /// Where the written record goes.
        wrap: Option<Path>,
        json: Option<TemplateJson>,
    },
    /// `application/x-www-form-urlencoded`, with brackets for what is nested: `metadata[key]=value`, `items[0][price]=…`.
    Form { record: Option<String>, wrap: Option<Path>, json: Option<TemplateJson> },
    /// A JSON document, then the bytes of the input `content` (RFC 2387).
    MultipartRelated { json: TemplateJson },
    /// Named parts (RFC 7578).
    Multipart { parts: Vec<BodyPart> },
    /// The input `content`, as it is.
    Bytes {
        #[serde(default = "octets")]
        content_type: Template,
    },
    /// A text, as it is.
    Text { text: Template, content_type: String },
    Graphql {
        document: Document,
        variables: Option<TemplateJson>,
        record: Option<String>,
        /// The variable that the written record goes under.
        under: Option<Path>,
    },
}

/// One part of a form: a document, a text or the input `content`.
#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct BodyPart {
    pub(crate) name: String,
    pub(crate) json: Option<TemplateJson>,
    pub(crate) text: Option<Template>,
    #[serde(default)]
    pub(crate) content: bool,
    pub(crate) filename: Option<Template>,
    pub(crate) content_type: Option<Template>,
}

/// A GraphQL document: a text, or several, of which those that begin with `@` name a fragment of the service.
#[derive(Debug)]
pub(crate) struct Document(Vec<String>);

fn octets() -> Template {
    Template::parse("application/octet-stream").expect("a template")
}

impl Document {
    pub(crate) fn text(&self) -> String {
        self.0.join("\n")
    }
}

impl Body {
    /// The field table that the inputs are written through.
    pub(crate) fn record(&self) -> Option<&String> {
        match self {
            Self::Json { record, .. } | Self::Form { record, .. } | Self::Graphql { record, .. } => record.as_ref(),
            Self::MultipartRelated { .. } | Self::Multipart { .. } | Self::Bytes { .. } | Self::Text { .. } => None,
        }
    }

    /// The inputs that it uses without a template.
    pub(super) fn content_inputs(&self) -> &'static [&'static str] {
        match self {
            Self::MultipartRelated { .. } => &["content", "mime_type"],
            Self::Multipart { .. } | Self::Bytes { .. } => &["content"],
            Self::Json { .. } | Self::Form { .. } | Self::Text { .. } | Self::Graphql { .. } => &[],
        }
    }

    pub(super) fn templates<'a>(&'a self, found: &mut Vec<&'a Template>) {
        match self {
            Self::Json { json, .. } | Self::Form { json, .. } => json.iter().for_each(|json| json.templates(found)),
            Self::MultipartRelated { json } => json.templates(found),
            Self::Multipart { parts } => {
                for part in parts {
                    part.json.iter().for_each(|json| json.templates(found));
                    found.extend(part.text.iter().chain(&part.filename).chain(&part.content_type));
                }
            }
            Self::Bytes { content_type } => found.push(content_type),
            Self::Text { text, .. } => found.push(text),
            Self::Graphql { variables, .. } => variables.iter().for_each(|json| json.templates(found)),
        }
    }

    pub(super) fn bind(&mut self, enums: &Enums, fragments: &BTreeMap<String, String>) -> Result<(), String> {
        match self {
            Self::Json { json, .. } | Self::Form { json, .. } => json.as_mut().map_or(Ok(()), |json| json.bind(enums)),
            Self::MultipartRelated { json } => json.bind(enums),
            Self::Multipart { parts } => parts.iter_mut().try_for_each(|part| {
                part.json.as_mut().map_or(Ok(()), |json| json.bind(enums))?;
                let templates = part.text.iter_mut().chain(&mut part.filename).chain(&mut part.content_type);
                templates.into_iter().try_for_each(|template| template.bind(enums))
            }),
            Self::Bytes { content_type } => content_type.bind(enums),
            Self::Text { text, .. } => text.bind(enums),
            Self::Graphql { document, variables, .. } => {
                for text in &mut document.0 {
                    if let Some(name) = text.strip_prefix('@') {
                        let known = fragments.get(name);
                        *text = known.ok_or_else(|| format!("body.document: there is no fragment `{name}`"))?.clone();
                    }
                }
                variables.as_mut().map_or(Ok(()), |json| json.bind(enums))
            }
        }
    }

    pub(super) fn check(&self) -> Result<(), String> {
        if let Self::Multipart { parts } = self {
            for part in parts {
                let kinds = usize::from(part.json.is_some()) + usize::from(part.text.is_some()) + usize::from(part.content);
                if kinds != 1 {
                    return Err(format!("body.parts `{}`: give one of `json`, `text`, `content`", part.name));
                }
            }
        }
        Ok(())
    }
}

impl<'de> Deserialize<'de> for Document {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        struct Either;
        impl<'de> Visitor<'de> for Either {
            type Value = Document;
            fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str("a GraphQL document, or a list of its parts")
            }
            fn visit_str<E: serde::de::Error>(self, text: &str) -> Result<Document, E> {
                Ok(Document(vec![text.to_owned()]))
            }
            fn visit_seq<S: SeqAccess<'de>>(self, mut seq: S) -> Result<Document, S::Error> {
                let mut parts = Vec::new();
                while let Some(part) = seq.next_element()? {
                    parts.push(part);
                }
                Ok(Document(parts))
            }
        }
        deserializer.deserialize_any(Either)
    }
}
