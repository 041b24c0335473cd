//! Providers as data: the manifest grammar and the catalogue.
//!
//! A manifest says how to connect to a provider and how each unified operation is carried out there. It is a total
//! language: paths, templates, field tables and named transforms. What it cannot say has a name in Rust.

mod fields;
mod manifest;
mod methods;
mod path;
mod template;
mod transform;

pub(crate) use manifest::{
    Answer, Body, ClientAuth, Effect, Identity, Manifest, OAUTH2, OAuth2, Operation, Param, RuleKind, Service, TokenSetSource,
};
pub(crate) use methods::{
    Algorithm, ApiKey, AppInstallation, Assertion, Basic, ClientCredentials, ConnectMethod, Device, FieldSpec, How, Link, OAuth1,
    Placement, Revoke, Signature, SignedJwt,
};
pub(crate) use template::{Template, Vars};

use crate::Result;

/// The manifests that are part of Atom.
const CATALOGUE: &[(&str, &str)] = &[("google", include_str!("../../providers/google.toml"))];

/// A built-in manifest.
pub(crate) fn built_in(name: &str) -> Option<Result<Manifest>> {
    CATALOGUE.iter().find(|(known, _)| *known == name).map(|(name, text)| Manifest::parse(name, text))
}

/// The names of the built-in providers.
pub(crate) fn names() -> impl Iterator<Item = &'static str> {
    CATALOGUE.iter().map(|(name, _)| *name)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_built_in_manifest_is_well_formed() {
        for name in names() {
            let manifest = built_in(name).expect("listed").unwrap_or_else(|e| panic!("{name}: {e}"));
            assert_eq!(manifest.name, name);
        }
    }
}
