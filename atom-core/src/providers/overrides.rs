//! A host's own changes to a manifest, and what they amount to.

use super::manifest::Manifest;
use crate::{Error, Json, Result};
use atom_macros::model;
use serde_json::Value;
use toml::{Table, Value as Toml};

/// A difference between a built-in manifest and what is used here instead.
#[model]
pub struct ManifestChange {
    /// What is changed: `services.drive.base_url`.
    pub path: String,
    /// What stands in the built-in manifest; nothing where it is new.
    pub before: Option<Json>,
    /// What is used instead.
    pub after: Option<Json>,
}

/// A manifest with changes merged into it, table by table. Everything that is not a table is replaced.
pub(crate) fn merge(name: &str, text: &str, changes: &str) -> Result<(Manifest, Vec<ManifestChange>)> {
    let malformed = |error: toml::de::Error| {
        let line = error.span().map(|span| changes.get(..span.start).unwrap_or(changes).matches('\n').count() + 1);
        let at = line.map(|line| format!(" line {line}:")).unwrap_or_default();
        Error::invalid("malformed_manifest", format!("override of `{name}`,{at} {}", error.message()))
    };
    let changes: Table = toml::from_str(changes).map_err(malformed)?;
    let mut table: Table = toml::from_str(text).map_err(malformed)?;
    let mut found = Vec::new();
    merge_table(&mut table, changes, "", &mut found);
    Ok((Manifest::from_table(&format!("{name}, with its override"), table)?, found))
}

fn merge_table(table: &mut Table, changes: Table, at: &str, found: &mut Vec<ManifestChange>) {
    for (key, change) in changes {
        let name = if key.contains('.') { format!("\"{key}\"") } else { key.clone() };
        let path = if at.is_empty() { name } else { format!("{at}.{name}") };
        match (table.get_mut(&key), change) {
            (Some(Toml::Table(inner)), Toml::Table(change)) => merge_table(inner, change, &path, found),
            (before, change) if before.as_deref() == Some(&change) => {}
            (before, change) => {
                let (before, after) = (before.map(|before| json(before)), Some(json(&change)));
                table.insert(key, change);
                found.push(ManifestChange { path, before, after });
            }
        }
    }
}

fn json(value: &Toml) -> Json {
    Json(serde_json::to_value(value).unwrap_or(Value::Null))
}

#[cfg(test)]
mod tests {
    use super::*;

    const GOOGLE: &str = include_str!("../../providers/google.toml");

    #[test]
    fn what_is_changed_is_used_and_shown() {
        let changes = "title = \"Our Google\"\n[services.drive.operations.\"files.list\".defaults]\npage_size = 7\n[auth]\nclient_auth = \"body\"";
        let (manifest, found) = merge("google", GOOGLE, changes).expect("merged");
        assert_eq!(manifest.title, "Our Google");
        assert_eq!(manifest.services["drive"].operations["files.list"].defaults["page_size"], 7);
        let paths: Vec<_> = found.iter().map(|change| change.path.as_str()).collect();
        assert_eq!(
            paths,
            ["title", "services.drive.operations.\"files.list\".defaults.page_size"],
            "what stays the same is no change"
        );
        assert_eq!(found[0].before, Some(Json("Google".into())));
        assert_eq!(found[1].after, Some(Json(7.into())));
    }

    #[test]
    fn an_override_that_fits_nothing_is_refused() {
        for wrong in ["titel = \"x\"", "[", "[auth]\ntoken_url = \"https://evil.example/token\"", "name = \"Other!\""] {
            let error = merge("google", GOOGLE, wrong).err().unwrap_or_else(|| panic!("{wrong}"));
            assert_eq!(error.reason(), "malformed_manifest");
            assert!(error.to_string().contains("google"), "{error}");
        }
    }
}
