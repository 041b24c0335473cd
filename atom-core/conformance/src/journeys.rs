//! Which operations are part of a journey: create, read, list, change, search and delete, on a server that keeps what is written. The journeys are
//! tests of the library (`atom-core/tests/peers/journeys`), which compare the list with the calls that they make.

use crate::manifest::Manifest;
use crate::sources::home;
use serde::Deserialize;
use std::collections::BTreeMap;

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Journeys {
    journey: Vec<Journey>,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Journey {
    provider: String,
    /// With its version.
    server: String,
    /// For people, and for the test.
    #[allow(dead_code)]
    test: String,
    operations: Vec<String>,
}

/// The servers of each operation, by provider and operation.
pub(crate) fn servers() -> Result<BTreeMap<(String, String), String>, String> {
    let path = home().join("../tests/peers/journeys/journeys.toml");
    let text = std::fs::read_to_string(&path).map_err(|e| format!("{}: {e}", path.display()))?;
    let Journeys { journey } = toml::from_str(&text).map_err(|e| format!("journeys.toml: {e}"))?;
    let mut found: BTreeMap<(String, String), String> = BTreeMap::new();
    for Journey { provider, server, operations, .. } in journey {
        let known = Manifest::read(&provider)?.operations();
        for name in operations {
            if !known.iter().any(|operation| operation.name == name) {
                return Err(format!("journeys.toml: {provider} has no operation `{name}`"));
            }
            let servers = found.entry((provider.clone(), name)).or_default();
            if servers.is_empty() {
                servers.clone_from(&server);
            } else if !servers.contains(&server) {
                *servers = format!("{servers}, {server}");
            }
        }
    }
    Ok(found)
}
