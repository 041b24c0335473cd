//! `inputs.toml`: what the harness puts into an operation.

use crate::manifest::Operation;
use crate::sources::home;
use serde::Deserialize;
use serde_json::{Map, Value};
use std::collections::{BTreeMap, BTreeSet};

/// Everything in `inputs.toml`.
#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct Inputs {
    /// The inputs of each unified operation, those that must be there with a `!`.
    operations: BTreeMap<String, String>,
    /// A value for each input, whatever the provider.
    values: Map<String, Value>,
    /// Values for one provider, or for one operation of it (`files.list`).
    providers: BTreeMap<String, Map<String, Value>>,
}

impl Inputs {
    pub(crate) fn read() -> Result<Self, String> {
        let path = home().join("inputs.toml");
        let text = std::fs::read_to_string(&path).map_err(|e| format!("{}: {e}", path.display()))?;
        toml::from_str(&text).map_err(|e| format!("inputs.toml: {e}"))
    }

    /// The value of an input: the operation's own, the provider's, or the usual one.
    fn value(&self, provider: &str, operation: &str, input: &str) -> Option<Value> {
        let own = self.providers.get(provider);
        let of_operation = own.and_then(|own| own.get(operation)?.get(input));
        let family = operation.split(['.', '+']).next().unwrap_or_default();
        let of_family = self.values.get(family).and_then(|family| family.get(input));
        let of_provider = own.and_then(|own| own.get(input));
        let found = of_operation.or(of_provider).or(of_family).or_else(|| self.values.get(input));
        found.filter(|value| *value != "-").cloned()
    }

    /// A fact about an account, or an input of its connection: a host, a site, a region.
    pub(crate) fn fact(&self, provider: &str, name: &str) -> Value {
        self.value(provider, "facts", name).unwrap_or_else(|| "conformance".into())
    }

    /// A URL whose placeholders are filled with what is known of an account.
    pub(crate) fn filled(&self, provider: &str, template: &str) -> String {
        let mut filled = template.to_owned();
        while let Some((before, rest)) = filled.split_once('{') {
            let Some((name, after)) = rest.split_once('}') else { break };
            let value = self.fact(provider, name);
            filled = format!("{before}{}{after}", value.as_str().unwrap_or("conformance"));
        }
        filled
    }

    /// The smallest call: what stands in the path and what the unified operation cannot do without. Of the vendor's own operations nobody says
    /// what they can do without, so they get everything.
    pub(crate) fn minimal(&self, provider: &str, operation: &Operation) -> Map<String, Value> {
        let (base, given) = operation.base();
        let mut names = if self.declared(base).is_some() { operation.path_inputs() } else { operation.inputs() };
        names.extend(given.into_iter().map(str::to_owned));
        names.extend(self.declared(base).into_iter().flatten().filter_map(|name| name.strip_suffix('!').map(str::to_owned)));
        let needed = self.providers.get(provider).and_then(|own| own.get(&operation.name)?.get("needs"));
        names.extend(needed.and_then(Value::as_array).into_iter().flatten().filter_map(Value::as_str).map(str::to_owned));
        self.fill(provider, operation, names)
    }

    /// The largest: all that the manifest uses of what the unified operation takes, but nothing that would choose another variant.
    pub(crate) fn full(&self, provider: &str, operation: &Operation, siblings: &[Operation]) -> Map<String, Value> {
        let (base, given) = operation.base();
        let mut names = operation.inputs();
        if let Some(declared) = self.declared(base) {
            names.retain(|name| declared.iter().any(|known| known.trim_end_matches('!') == name));
        }
        for sibling in siblings.iter().filter(|sibling| sibling.base().0 == base) {
            let other = sibling.base().1;
            // With all the inputs of a larger variant, that one would be used.
            if other.iter().any(|input| !given.contains(input)) {
                names.retain(|name| given.contains(&name.as_str()) || !other.contains(&name.as_str()));
            }
        }
        names.extend(given.into_iter().map(str::to_owned));
        names.extend(operation.path_inputs());
        let mut input = self.fill(provider, operation, names);
        for (name, value) in self.minimal(provider, operation) {
            input.entry(name).or_insert(value);
        }
        if operation.has_page_size() {
            input.insert("page_size".into(), 2.into());
        }
        input
    }

    fn declared(&self, base: &str) -> Option<Vec<&str>> {
        self.operations.get(base).map(|text| text.split_whitespace().collect())
    }

    fn fill(&self, provider: &str, operation: &Operation, names: BTreeSet<String>) -> Map<String, Value> {
        // `-` in the file leaves an input out.
        let known = |name: &str| {
            let is_declined = [operation.name.as_str(), operation.base().0].into_iter().any(|operation| {
                self.providers.get(provider).and_then(|own| own.get(operation)?.get(name)).is_some_and(|value| value == "-")
            });
            let value = self.value(provider, &operation.name, name).or_else(|| self.value(provider, operation.base().0, name));
            if is_declined { None } else { value.or_else(|| Some(format!("some {}", name.replace('_', " ")).into())) }
        };
        names.into_iter().filter_map(|name| known(&name).map(|value| (name, value))).collect()
    }
}
