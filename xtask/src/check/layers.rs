//! Imports inside atom-core run downwards only.

use crate::surface::{Module, Tree, is_test};
use crate::{Result, shell};
use proc_macro2::{TokenStream, TokenTree};
use quote::ToTokens;
use std::path::Path;

/// The types that every layer speaks.
const BASE: &[&str] = &["error", "id", "page", "clock", "secret", "value"];
/// Below every domain, the lowest first. The key ring is stored, and what is stored is sealed: these two know each other.
const FOUNDATION: &[&[&str]] = &[&["crypto", "storage"], &["audit"], &["events"]];
/// What stands on top and is named by nobody below.
const TOP: &[&str] = &["http", "bridge", "testing"];
/// Empty in a build without bridges: a value type says with it that it is a string in every other language.
const EXCEPTION: &[&str] = &["bridge", "string_like"];

pub(super) fn check() -> Result<()> {
    let tree = Tree::read(&shell::root().join("atom-core/src/lib.rs"))?;
    let mut faults = Vec::new();
    for module in &tree.modules {
        for import in imports(module) {
            if let Some(why) = fault(&module.path, &tree.resolve(&import)) {
                faults.push(format!("{}: `crate::{}` {why}", shown(&module.file), import.join("::")));
            }
        }
    }
    faults.sort();
    faults.dedup();
    if faults.is_empty() { Ok(()) } else { Err(faults.join("\n").into()) }
}

fn shown(file: &Path) -> String {
    file.strip_prefix(shell::root()).unwrap_or(file).display().to_string()
}

/// Why a module may not name another one.
fn fault(from: &[String], to: &[String]) -> Option<&'static str> {
    let (Some(here), Some(there)) = (from.first().map(String::as_str), to.first().map(String::as_str)) else { return None };
    let level = |name: &str| FOUNDATION.iter().position(|level| level.contains(&name));
    if here == there || TOP.contains(&here) || to.iter().zip(EXCEPTION).filter(|(a, b)| a == *b).count() == EXCEPTION.len() {
        return None;
    }
    if TOP.contains(&there) {
        return Some("stands above: only http, bridge and testing may name each other");
    }
    if BASE.contains(&here) && !BASE.contains(&there) {
        return Some("stands above the types that every layer speaks");
    }
    if let Some(mine) = level(here)
        && !BASE.contains(&there)
        && level(there).is_none_or(|other| other > mine)
    {
        return Some("stands above the foundation");
    }
    if level(there).is_none() && to.get(1).is_some_and(|part| part == "store") {
        return Some("is the SQL of another domain: ask its handle");
    }
    None
}

/// The paths after each `crate::` of a module, outside tests. Macro bodies are read too, so this looks at tokens.
fn imports(module: &Module) -> Vec<Vec<String>> {
    let mut found = Vec::new();
    for item in &module.items {
        let attrs = match item {
            syn::Item::Fn(item) => &item.attrs,
            syn::Item::Impl(item) => &item.attrs,
            syn::Item::Use(item) => &item.attrs,
            _ => &Vec::new(),
        };
        if !is_test(attrs) {
            walk(item.to_token_stream(), &mut found);
        }
    }
    found
}

fn walk(tokens: TokenStream, found: &mut Vec<Vec<String>>) {
    let tokens: Vec<TokenTree> = tokens.into_iter().collect();
    for (i, token) in tokens.iter().enumerate() {
        match token {
            TokenTree::Group(group) => walk(group.stream(), found),
            TokenTree::Ident(name) if name == "crate" => paths(&tokens[i + 1..], &mut vec![], found),
            _ => {}
        }
    }
}

/// Reads `::a::b` or `::{a, b::c}`.
fn paths(tokens: &[TokenTree], prefix: &mut Vec<String>, found: &mut Vec<Vec<String>>) {
    match tokens {
        [TokenTree::Punct(a), TokenTree::Punct(b), TokenTree::Ident(name), rest @ ..]
            if a.as_char() == ':' && b.as_char() == ':' =>
        {
            prefix.push(name.to_string());
            paths(rest, prefix, found);
        }
        [TokenTree::Punct(a), TokenTree::Punct(b), TokenTree::Group(group), ..] if a.as_char() == ':' && b.as_char() == ':' => {
            let inner: Vec<TokenTree> = group.stream().into_iter().collect();
            for part in inner.split(|t| matches!(t, TokenTree::Punct(p) if p.as_char() == ',')) {
                if let [TokenTree::Ident(name), rest @ ..] = part {
                    let mut prefix = [prefix.as_slice(), &[name.to_string()]].concat();
                    paths(rest, &mut prefix, found);
                }
            }
        }
        _ if prefix.is_empty() => {}
        _ => found.push(prefix.clone()),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn judged(from: &str, to: &str) -> bool {
        let path = |text: &str| text.split("::").map(str::to_owned).collect::<Vec<_>>();
        fault(&path(from), &path(to)).is_none()
    }

    #[test]
    fn layers_name_what_is_below_them_and_nothing_above() {
        for fine in [
            ("accounts", "storage"),
            ("events", "audit"),
            ("audit", "storage"),
            ("http", "accounts"),
            ("id", "bridge::string_like"),
            ("connect", "providers"),
        ] {
            assert!(judged(fine.0, fine.1), "{fine:?}");
        }
        for wrong in [
            ("storage", "accounts"),
            ("audit", "events"),
            ("events", "accounts"),
            ("crypto", "connect"),
            ("accounts", "http"),
            ("error", "storage"),
            ("tasks", "accounts::store"),
        ] {
            assert!(!judged(wrong.0, wrong.1), "{wrong:?}");
        }
    }

    #[test]
    fn every_way_to_write_an_import_is_seen() {
        let file = syn::parse_file("use crate::{a, b::{c, d::*}}; fn f() { crate::e::g(); x!(crate::h) }").expect("it is Rust");
        let mut found = Vec::new();
        walk(file.to_token_stream(), &mut found);
        let found: Vec<String> = found.iter().map(|path| path.join("::")).collect();
        assert_eq!(found, ["a", "b::c", "b::d", "e::g", "h"]);
    }
}
