//! What the manifest of a workspace may not, beyond what no manifest may.

use super::name_taken;
use crate::atom::Inner;
use crate::connect::methods::Way;
use crate::connect::{App, ConnectFlow};
use crate::egress::Egress;
use crate::providers::{self, Host, Manifest};
use crate::{Error, ErrorKind, Result};
use std::collections::BTreeSet;
use url::Url;

const LONGEST: usize = 256 * 1024;
const LONGEST_CLIENT_ID: usize = 1000;

/// A manifest that a workspace may register.
pub(super) fn checked(inner: &Inner, text: &str) -> Result<Manifest> {
    if text.len() > LONGEST {
        let text = format!("the manifest has {} bytes: a workspace's has at most {LONGEST}", text.len());
        return Err(Error::invalid("manifest_too_large", text));
    }
    let manifest = Manifest::parse("workspace", text)?;
    // Whoever names a provider of the installation means that one, also one that is only not configured yet.
    if providers::names().any(|name| name == manifest.name) || inner.apps.has(&manifest.name) {
        return Err(name_taken(&manifest.name));
    }
    let mut operations = manifest.services.values().flat_map(|service| service.operations.values().chain(service.steps.values()));
    if operations.any(|operation| operation.hook.is_some()) {
        let text = "a workspace's manifest names no `hook`: hooks are functions of the host";
        return Err(Error::invalid("hook_not_allowed", text));
    }
    for host in manifest.hosts.iter().chain(&manifest.download_hosts).chain(&manifest.upload_hosts) {
        check_host(host, &inner.egress)?;
    }
    Ok(manifest)
}

/// As far as can be told before a name is resolved; the guard looks at every connection once more.
fn check_host(host: &Host, egress: &Egress) -> Result<()> {
    let text = host.text().strip_prefix("*.").unwrap_or(host.text());
    let example = if text.contains('{') { text.replace(['{', '}'], "") } else { text.to_owned() };
    let malformed = |_| Error::invalid("malformed_manifest", format!("hosts: `{}` is no host", host.text()));
    egress.check_address(&Url::parse(&format!("https://{example}/")).map_err(malformed)?)
}

/// Whether a method takes the user through a page and back.
pub(super) fn needs_redirect(app: &App) -> bool {
    Way::all(app).iter().any(|way| way.how.flow() == ConnectFlow::Browser)
}

/// Refuses a provider that could not send users back.
pub(super) fn check_redirect(app: &App) -> Result<()> {
    if !needs_redirect(app) || !app.redirect_uris.all().is_empty() {
        return Ok(());
    }
    let text = "a method of this provider sends users back, and there is no address for that: have the installation opened with \
                `workspace_callback_url`, or leave the method out";
    Err(Error::invalid("workspace_callback_url_missing", text))
}

pub(super) fn check_client_id(id: &str) -> Result<()> {
    if id.len() <= LONGEST_CLIENT_ID && !id.contains(char::is_control) {
        return Ok(());
    }
    Err(Error::invalid("malformed_client", "a client id is at most 1000 bytes without control characters: copy it again"))
}

/// Refuses a change that could lead the tokens of members elsewhere.
pub(super) fn check_routes(before: (&Manifest, &str), after: (&Manifest, &str)) -> Result<()> {
    let added = |before: &[Host], after: &[Host]| {
        let known: BTreeSet<_> = before.iter().map(Host::text).collect();
        after.iter().any(|host| !known.contains(host.text()))
    };
    let fields = [
        ("hosts", added(&before.0.hosts, &after.0.hosts)),
        ("download_hosts", added(&before.0.download_hosts, &after.0.download_hosts)),
        ("upload_hosts", added(&before.0.upload_hosts, &after.0.upload_hosts)),
        ("`inputs`, `auth`, `methods`, `identity` or a base URL", routes(before.1) != routes(after.1)),
    ];
    let Some((field, _)) = fields.into_iter().find(|(_, differs)| *differs) else { return Ok(()) };
    let text = format!(
        "members have connections at this provider, whose tokens would go elsewhere: {field} differs. Register the new manifest under another name, \
         or end the connections first"
    );
    Err(Error::new(ErrorKind::Conflict, "hosts_changed", text))
}

/// All that says where a credential goes and how.
fn routes(text: &str) -> Vec<Option<toml::Value>> {
    let table: toml::Table = text.parse().unwrap_or_default();
    let mut found: Vec<_> = ["inputs", "auth", "methods", "identity"].iter().map(|name| table.get(*name).cloned()).collect();
    let services = table.get("services").and_then(toml::Value::as_table).into_iter().flatten();
    let mut bases = BTreeSet::new();
    for (_, service) in services {
        let requests = ["operations", "steps"].into_iter().filter_map(|kind| service.get(kind)?.as_table());
        let operations = requests.flatten();
        let urls = operations.filter_map(|(_, operation)| operation.get("base_url"));
        bases.extend(urls.chain(service.get("base_url")).filter_map(toml::Value::as_str).map(str::to_owned));
    }
    found.push(Some(toml::Value::Array(bases.into_iter().map(toml::Value::String).collect())));
    found
}
