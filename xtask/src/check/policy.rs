//! The dependency tree against `deny.toml`: licences, sources, bans and crates that are there twice.

use super::licence;
use crate::{Result, shell};
use serde_json::Value;
use std::collections::{BTreeMap, BTreeSet};
use std::process::Command;

/// Libraries that only the bridges may bring in.
const FOREIGN: &[&str] = &["pyo3", "napi", "uniffi"];

struct Package {
    name: String,
    version: String,
    licence: String,
    source: Option<String>,
}

pub(super) fn check() -> Result<()> {
    let text = std::fs::read_to_string(shell::root().join("deny.toml"))?;
    let rules: toml::Table = text.parse().map_err(|e| format!("deny.toml: {e}"))?;
    let packages = packages(&strings(&rules["graph"]["targets"]))?;
    let mut faults = Vec::new();
    licences(&rules, &packages, &mut faults);
    bans(&rules, &packages, &mut faults);
    duplicates(&rules, &packages, &mut faults);
    let registries = strings(&rules["sources"]["allow-registry"]);
    for package in &packages {
        let known = |source: &String| registries.iter().any(|r| source.strip_prefix("registry+") == Some(r));
        if !package.source.as_ref().is_none_or(known) {
            faults.push(format!("{} {} comes from elsewhere than crates.io", package.name, package.version));
        }
    }
    let mut tree = Command::new("cargo");
    tree.current_dir(shell::root()).args(["tree", "--locked", "-p", "atom-core", "-e", "normal,build", "--prefix", "none"]);
    for line in shell::output(&mut tree)?.lines().collect::<BTreeSet<_>>() {
        if FOREIGN.iter().any(|f| line.starts_with(f)) {
            faults.push(format!("the default build of atom-core depends on {line}: only a bridge may"));
        }
    }
    if faults.is_empty() { Ok(()) } else { Err(faults.join("\n").into()) }
}

/// Everything that is built for one of the targets.
fn packages(targets: &[&str]) -> Result<Vec<Package>> {
    let mut found = BTreeMap::new();
    for target in targets {
        let mut cargo = Command::new("cargo");
        cargo.current_dir(shell::root()).args(["metadata", "--format-version", "1", "--all-features", "--locked"]);
        let metadata: Value = serde_json::from_str(&shell::output(cargo.args(["--filter-platform", target]))?)?;
        let nodes = metadata["resolve"]["nodes"].as_array().ok_or("cargo metadata has no resolve")?;
        let used: BTreeSet<&str> = nodes.iter().filter_map(|n| n["id"].as_str()).collect();
        for package in metadata["packages"].as_array().into_iter().flatten() {
            let text = |key: &str| package[key].as_str().map(str::to_owned);
            let Some(id) = text("id").filter(|id| used.contains(id.as_str())) else { continue };
            let (name, version) = (text("name").unwrap_or_default(), text("version").unwrap_or_default());
            let licence = text("license").unwrap_or_default();
            found.insert(id, Package { name, version, licence, source: text("source") });
        }
    }
    Ok(found.into_values().collect())
}

fn licences(rules: &toml::Table, packages: &[Package], faults: &mut Vec<String>) {
    let allowed = strings(&rules["licenses"]["allow"]);
    let exceptions = entries(&rules["licenses"]["exceptions"]);
    let clarified = rules["licenses"].get("clarify").map(entries).unwrap_or_default();
    for package in packages {
        let own = exceptions.iter().filter(|e| names(e, package)).flat_map(|e| strings(&e["allow"]));
        // A crate may carry the text of its licence instead of its name.
        let said = clarified.iter().find(|entry| names(entry, package)).and_then(|entry| entry["expression"].as_str());
        let expression = said.filter(|_| package.licence.is_empty()).unwrap_or(&package.licence);
        if !licence::is_met(expression, &allowed.iter().copied().chain(own).collect::<Vec<_>>()) {
            faults.push(format!("{} {} has the licence `{}`", package.name, package.version, package.licence));
        }
    }
    for exception in exceptions.iter().filter(|e| !packages.iter().any(|p| names(e, p))) {
        faults.push(format!("deny.toml: `{}` is no longer in the tree: remove its exception", crate_of(exception)));
    }
}

fn bans(rules: &toml::Table, packages: &[Package], faults: &mut Vec<String>) {
    for ban in entries(&rules["bans"]["deny"]) {
        for package in packages.iter().filter(|p| names(ban, p)) {
            let reason = ban.get("reason").and_then(toml::Value::as_str).unwrap_or("banned");
            faults.push(format!("{} {}: {reason}", package.name, package.version));
        }
    }
}

fn duplicates(rules: &toml::Table, packages: &[Package], faults: &mut Vec<String>) {
    let skips = entries(&rules["bans"]["skip"]);
    let mut versions: BTreeMap<&str, Vec<&str>> = BTreeMap::new();
    for package in packages.iter().filter(|p| !skips.iter().any(|s| names(s, p))) {
        versions.entry(&package.name).or_default().push(&package.version);
    }
    for (name, versions) in versions.iter().filter(|(_, v)| v.len() > 1) {
        faults.push(format!("{name} is there more than once ({}): see `cargo tree -i {name}`", versions.join(", ")));
    }
    for skip in &skips {
        let still =
            packages.iter().any(|p| names(skip, p)) && versions.contains_key(crate_of(skip).split('@').next().unwrap_or(""));
        if !still {
            faults.push(format!("deny.toml: `{}` is no duplicate any more: remove it from `skip`", crate_of(skip)));
        }
        if skip.get("reason").is_none() {
            faults.push(format!("deny.toml: `{}` is skipped without a reason", crate_of(skip)));
        }
    }
}

/// Whether an entry (`name` or `name@version`) means this package.
fn names(entry: &toml::Table, package: &Package) -> bool {
    match crate_of(entry).split_once('@') {
        Some((name, version)) => {
            let rest = package.version.strip_prefix(version);
            name == package.name && rest.is_some_and(|r| r.is_empty() || r.starts_with('.'))
        }
        None => crate_of(entry) == package.name,
    }
}

fn crate_of(entry: &toml::Table) -> &str {
    entry.get("crate").and_then(toml::Value::as_str).unwrap_or_default()
}

fn strings(list: &toml::Value) -> Vec<&str> {
    list.as_array().into_iter().flatten().filter_map(toml::Value::as_str).collect()
}

fn entries(list: &toml::Value) -> Vec<&toml::Table> {
    list.as_array().into_iter().flatten().filter_map(toml::Value::as_table).collect()
}
