//! The manifests that are part of Atom, and what providers can do, computed from their tables.

use super::manifest::Manifest;
use super::operation::{Answer, Effect, Operation, PAGING, Service};
use super::overrides::{self, ManifestChange};
use crate::Result;
use atom_macros::model;
use std::collections::{BTreeMap, BTreeSet};
use std::sync::OnceLock;

/// The manifests that are part of Atom.
const CATALOGUE: &[(&str, &str)] = &[
    ("asana", include_str!("../../providers/asana.toml")),
    ("box", include_str!("../../providers/box.toml")),
    ("dropbox", include_str!("../../providers/dropbox.toml")),
    ("github", include_str!("../../providers/github.toml")),
    ("google", include_str!("../../providers/google.toml")),
    ("hubspot", include_str!("../../providers/hubspot.toml")),
    ("jira", include_str!("../../providers/jira.toml")),
    ("linear", include_str!("../../providers/linear.toml")),
    ("microsoft", include_str!("../../providers/microsoft.toml")),
    ("notion", include_str!("../../providers/notion.toml")),
    ("salesforce", include_str!("../../providers/salesforce.toml")),
    ("shopify", include_str!("../../providers/shopify.toml")),
    ("slack", include_str!("../../providers/slack.toml")),
    ("stripe", include_str!("../../providers/stripe.toml")),
    ("trello", include_str!("../../providers/trello.toml")),
    ("zoho", include_str!("../../providers/zoho.toml")),
];

/// A provider that Atom knows, configured here or not.
#[model]
pub struct CatalogueEntry {
    /// Its name in calls: `google`.
    pub name: String,
    /// Its name for people.
    pub title: String,
    /// What it is for: `files`, `mail`.
    pub categories: Vec<String>,
    /// The vendor's documentation that its manifest was checked against.
    pub docs_url: String,
    /// When that was: `2026-11-21`.
    pub verified_at: String,
    /// Whether this installation can connect to it.
    pub is_configured: bool,
    /// Its services.
    pub services: Vec<String>,
    /// What it can do.
    pub capabilities: Vec<Capability>,
}

/// A group of operations that a provider has: `files`, `tasks`, or its own.
#[model]
pub struct Capability {
    /// Its name: what stands before the dot in the names of its operations.
    pub name: String,
    /// Its operations.
    pub operations: Vec<OperationInfo>,
}

/// What can be said of an operation without calling it.
#[model]
pub struct OperationInfo {
    /// Its name in calls: `files.list`.
    pub name: String,
    /// Its name for people, where it has one.
    pub title: Option<String>,
    /// What it does, in a sentence or two, for whoever decides whether to call it.
    pub description: Option<String>,
    /// What a repetition would do: `read`, `idempotent` or `once`.
    pub effect: String,
    /// What comes back: `records` (a list in pages), `record`, `bytes`, `text` or `nothing`.
    pub answer: String,
    /// The scopes that it needs.
    pub scopes: Vec<String>,
    /// The provider's service that it belongs to.
    pub service: String,
    /// The fields of its records.
    pub fields_read: Vec<String>,
    /// The inputs that are written.
    pub fields_written: Vec<String>,
    /// The inputs that say which records are meant: ids, filters.
    pub filters: Vec<String>,
}

/// A built-in manifest.
pub(crate) fn built_in(name: &str) -> Option<Result<Manifest>> {
    text(name).map(|text| Manifest::parse(name, text))
}

/// A built-in manifest with a host's changes, and what these are.
pub(crate) fn built_in_with(name: &str, changes: &str) -> Option<Result<(Manifest, Vec<ManifestChange>)>> {
    text(name).map(|text| overrides::merge(name, text, changes))
}

fn text(name: &str) -> Option<&'static str> {
    CATALOGUE.iter().find(|(known, _)| *known == name).map(|(_, text)| *text)
}

/// The names of the built-in providers.
pub(crate) fn names() -> impl Iterator<Item = &'static str> {
    CATALOGUE.iter().map(|(name, _)| *name)
}

/// The built-in providers that have all words of a search, by name.
pub(crate) fn catalogue(search: Option<&str>, is_configured: impl Fn(&str) -> bool) -> Vec<CatalogueEntry> {
    static ALL: OnceLock<Vec<CatalogueEntry>> = OnceLock::new();
    let all = ALL.get_or_init(|| names().filter_map(|name| built_in(name)?.ok()).map(|manifest| entry(&manifest)).collect());
    let words: Vec<String> = search.unwrap_or_default().split_whitespace().map(str::to_lowercase).collect();
    let mut found: Vec<_> = all.iter().filter(|entry| words.iter().all(|word| has_word(entry, word))).cloned().collect();
    found.iter_mut().for_each(|entry| entry.is_configured = is_configured(&entry.name));
    found.sort_by(|a, b| a.name.cmp(&b.name));
    found
}

fn entry(manifest: &Manifest) -> CatalogueEntry {
    CatalogueEntry {
        name: manifest.name.clone(),
        title: manifest.title.clone(),
        categories: manifest.categories.clone(),
        docs_url: manifest.docs.clone(),
        verified_at: manifest.verified_at.clone(),
        is_configured: false,
        services: manifest.services.keys().cloned().collect(),
        capabilities: capabilities(manifest),
    }
}

fn has_word(entry: &CatalogueEntry, word: &str) -> bool {
    let names = [&entry.name, &entry.title].into_iter().chain(&entry.categories).chain(&entry.services);
    names.chain(entry.capabilities.iter().map(|capability| &capability.name)).any(|text| text.to_lowercase().contains(word))
}

/// What a provider can do.
pub(crate) fn capabilities(manifest: &Manifest) -> Vec<Capability> {
    let mut found: BTreeMap<&str, Vec<OperationInfo>> = BTreeMap::new();
    for (service_name, service, name, operation) in manifest.operations() {
        let capability = name.split('.').next().unwrap_or(name);
        found.entry(capability).or_default().push(describe(service_name, service, name, operation));
    }
    let mut capabilities: Vec<_> =
        found.into_iter().map(|(name, operations)| Capability { name: name.to_owned(), operations }).collect();
    capabilities.iter_mut().for_each(|capability| capability.operations.sort_by(|a, b| a.name.cmp(&b.name)));
    capabilities
}

fn describe(service_name: &str, service: &Service, name: &str, operation: &Operation) -> OperationInfo {
    // What a list only names is what the other operation reads.
    let reader = operation.fetch.as_ref().and_then(|fetch| service.operations.get(fetch)).unwrap_or(operation);
    let record = reader.record.as_ref().and_then(|record| service.records.get(record));
    let written = operation.body.as_ref().filter(|_| operation.effect != Effect::Read);
    let addressed: BTreeSet<&str> = operation.addressing();
    let inputs: BTreeSet<&str> = service
        .with_variants(name)
        .flat_map(|variant| &variant.inputs)
        .map(String::as_str)
        .filter(|name| !PAGING.contains(name))
        .collect();
    let is_filter = |name: &&str| written.is_none() || addressed.contains(name);
    let texts = |names: Vec<&str>| names.into_iter().map(str::to_owned).collect::<Vec<_>>();
    OperationInfo {
        name: name.to_owned(),
        title: operation.title.clone(),
        description: operation.description.clone(),
        effect: match operation.effect {
            Effect::Read => "read",
            Effect::Idempotent => "idempotent",
            Effect::Once => "once",
        }
        .to_owned(),
        answer: match operation.answer {
            Answer::Json if operation.is_list() => "records",
            Answer::Json => "record",
            Answer::Bytes => "bytes",
            Answer::Text => "text",
            Answer::None => "nothing",
        }
        .to_owned(),
        scopes: service.scopes.iter().chain(&operation.scopes).cloned().collect(),
        service: service_name.to_owned(),
        fields_read: record.map(|record| texts(record.readable().collect())).unwrap_or_default(),
        fields_written: texts(inputs.iter().copied().filter(|name| !is_filter(name)).collect()),
        filters: texts(inputs.iter().copied().filter(is_filter).collect()),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_built_in_manifest_is_well_formed() {
        let mut faults = Vec::new();
        for name in names() {
            match built_in(name).expect("listed") {
                Ok(manifest) => assert_eq!(manifest.name, name),
                Err(error) => faults.push(error.to_string()),
            }
        }
        assert!(faults.is_empty(), "{}", faults.join("\n"));
    }

    #[test]
    fn the_example_of_the_documentation_is_a_manifest() {
        let text = include_str!("../../providers/README.md");
        let example = text.split("```toml\n").nth(1).and_then(|rest| rest.split("```").next()).expect("an example");
        let manifest = Manifest::parse("example", example).unwrap_or_else(|e| panic!("{e}"));
        assert_eq!(manifest.operations().count(), 3);
        assert!(example.lines().count() < 120, "a plain provider is described in less");
    }

    #[test]
    fn the_catalogue_is_searched_by_words() {
        let found = |search: &str| catalogue(Some(search), |_| false).into_iter().map(|entry| entry.name).collect::<Vec<_>>();
        assert!(found("google mail").contains(&"google".to_owned()));
        assert!(found("GOOGLE").contains(&"google".to_owned()));
        assert!(found("google nonsense").is_empty());
        assert!(catalogue(None, |name| name == "google").iter().any(|entry| entry.is_configured));
    }

    #[test]
    fn capabilities_say_what_is_read_written_and_filtered() {
        let manifest = built_in("google").expect("listed").expect("well-formed");
        let capabilities = capabilities(&manifest);
        let operation = |name: &str| {
            let all = capabilities.iter().flat_map(|capability| &capability.operations);
            all.clone().find(|operation| operation.name == name).expect(name).clone()
        };
        let list = operation("files.list");
        assert_eq!((list.effect.as_str(), list.answer.as_str(), list.service.as_str()), ("read", "records", "drive"));
        assert_eq!(list.filters, ["folder_id", "search"]);
        assert!(list.fields_read.contains(&"mime_type".to_owned()) && list.fields_written.is_empty());
        let create = operation("calendar.create_event");
        assert_eq!(create.filters, ["calendar_id"]);
        assert!(create.fields_written.contains(&"starts".to_owned()));
        assert!(
            operation("mail.list").fields_read.contains(&"subject".to_owned()),
            "the list holds ids only, and the rest is fetched"
        );
    }
}
