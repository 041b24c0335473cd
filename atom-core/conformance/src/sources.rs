//! `sources.toml`: where the description of each provider comes from.

use crate::description::Description;
use crate::graphql::GraphQl;
use crate::overlay;
use serde::Deserialize;
use std::collections::BTreeMap;
use std::path::{Path, PathBuf};
use std::sync::Arc;

/// Everything in `sources.toml`.
#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct Sources {
    source: Vec<Source>,
    /// Providers without a description that may be used, and why.
    pub(crate) unchecked: BTreeMap<String, String>,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Source {
    provider: String,
    kind: Kind,
    /// In the repository, or in a package.
    package: Option<Package>,
    files: Vec<String>,
    /// Read by people and by the preparation.
    #[allow(dead_code)]
    licence: String,
    #[allow(dead_code)]
    date: String,
    grade: String,
    #[serde(default)]
    aliases: BTreeMap<String, String>,
    /// Only its examples of answers count.
    #[serde(default)]
    answers_only: bool,
}

#[derive(Clone, Copy, PartialEq, Deserialize)]
#[serde(rename_all = "kebab-case")]
enum Kind {
    Openapi,
    Discovery,
    GraphqlSdl,
    GraphqlIntrospection,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Package {
    #[allow(dead_code)]
    registry: String,
    name: String,
    version: String,
    #[allow(dead_code)]
    sha256: String,
}

/// The descriptions of one provider.
#[derive(Default)]
pub(crate) struct Descriptions {
    /// Official and current (`A`), official but old (`a`), from a repository (`B`).
    pub(crate) grade: String,
    pub(crate) rest: Vec<Arc<Description>>,
    pub(crate) answers: Vec<Arc<Description>>,
    pub(crate) graphql: Option<GraphQl>,
}

impl Descriptions {
    /// Whether the vendor's API is described at all.
    pub(crate) fn is_there(&self) -> bool {
        !self.rest.is_empty() || self.graphql.is_some()
    }
}

/// The folder of this crate.
pub(crate) fn home() -> &'static Path {
    Path::new(env!("CARGO_MANIFEST_DIR"))
}

impl Sources {
    pub(crate) fn read() -> Result<Self, String> {
        let text = read(&home().join("sources.toml"))?;
        toml::from_str(&text).map_err(|e| format!("sources.toml: {e}"))
    }

    /// What describes a provider; `None` where a package is not there yet.
    pub(crate) fn descriptions(&self, provider: &str) -> Result<Option<Descriptions>, String> {
        let mut found = Descriptions::default();
        let mut overlay = overlay::read(provider)?;
        for source in self.source.iter().filter(|source| source.provider == provider) {
            for file in &source.files {
                let path = source.path(file);
                if !path.exists() && source.package.is_some() {
                    return Ok(None);
                }
                let text = read(&path)?;
                let malformed = |e: &dyn std::fmt::Display| format!("{}: {e}", path.display());
                match source.kind {
                    Kind::Openapi | Kind::Discovery => {
                        let doc = serde_json::from_str(&text).map_err(|e| malformed(&e))?;
                        let kind = if source.kind == Kind::Discovery { "discovery" } else { "openapi" };
                        let mut description = Description::new(kind, doc, source.aliases.clone().into_iter().collect());
                        overlay.apply(&mut description.doc);
                        let list = if source.answers_only { &mut found.answers } else { &mut found.rest };
                        list.push(Arc::new(description));
                    }
                    Kind::GraphqlSdl => found.graphql = Some(GraphQl::from_sdl(&text).map_err(|e| malformed(&e))?),
                    Kind::GraphqlIntrospection => {
                        let schema = serde_json::from_str(&text).map_err(|e| malformed(&e))?;
                        found.graphql = Some(GraphQl::from_introspection(&schema).map_err(|e| malformed(&e))?);
                    }
                }
            }
            if !source.answers_only {
                found.grade.clone_from(&source.grade);
            }
        }
        if !found.is_there() {
            return Err(format!("sources.toml has no description of `{provider}`: add one, or its reason to [unchecked]"));
        }
        overlay.check()?;
        Ok(Some(found))
    }
}

impl Source {
    /// A file of a package is where `cargo xtask conformance` puts it.
    fn path(&self, file: &str) -> PathBuf {
        let Some(package) = &self.package else { return home().join("descriptions").join(file) };
        let folder = format!("{}-{}", package.name.trim_start_matches('@').replace('/', "-"), package.version);
        let name = file.rsplit('/').next().unwrap_or_default().trim_end_matches(".gz");
        home().join("../../target/conformance").join(folder).join(name)
    }
}

fn read(path: &Path) -> Result<String, String> {
    std::fs::read_to_string(path).map_err(|e| format!("{}: {e}", path.display()))
}
