//! Whether the compiled libraries really offer what the sources declare, each asked in its own language.

use crate::surface::{Item, Kind, Shape, Surface, camel, snake};
use crate::{Result, shell};
use std::collections::{BTreeMap, BTreeSet, HashSet};
use std::path::{Path, PathBuf};
use std::process::Command;
use std::time::SystemTime;

type Members = BTreeMap<String, BTreeSet<String>>;

#[derive(Default)]
pub(super) struct Answers {
    /// What is missing in a language, or too much.
    pub(super) faults: Vec<String>,
    /// Libraries that are not built, or older than the sources: they could not be asked.
    pub(super) stale: Vec<String>,
}

pub(super) fn ask(surface: &Surface, codes: &[String]) -> Result<Answers> {
    let root = shell::root();
    let sources = newest(&root.join("atom-core/src"))?.max(newest(&root.join("atom-core/macros/src"))?);
    let Answers { mut faults, mut stale } = Answers::default();
    let mut fresh = |name: &str| -> Option<PathBuf> {
        let file = shell::library(name);
        let built = file.metadata().and_then(|m| m.modified()).is_ok_and(|time| time >= sources);
        if !built {
            stale.push(format!("{} is older than the sources, or not there", file.display()));
        }
        built.then_some(file)
    };
    if let Some(library) = fresh("_atom") {
        let text = shell::output(Command::new("python3").args(["-c", include_str!("ask.py")]).arg(library))?;
        compare("Python", &python(surface), &serde_json::from_str(&text)?, &mut faults);
    }
    let errors = root.join("atom-py/python/atom_py/errors.py");
    if errors.exists() {
        let text = shell::output(Command::new("python3").args(["-c", include_str!("ask_errors.py")]).arg(errors).args(codes))?;
        let unknown: Vec<String> = serde_json::from_str(&text)?;
        faults.extend(unknown.iter().map(|code| format!("Python: error code `{code}` has no exception class")));
    }
    if let Some(library) = fresh("atom_node") {
        let text = shell::output(Command::new("node").args(["-e", include_str!("ask.js"), "--"]).arg(library))?;
        compare("Node", &node(surface), &serde_json::from_str(&text)?, &mut faults);
    }
    if let Some(library) = fresh("atom_mobile") {
        let bindgen = root.join("target/debug/uniffi-bindgen");
        for (language, extension) in [("kotlin", "kt"), ("swift", "swift")] {
            let folder = root.join("target/parity").join(language);
            // The path of the file follows the package name, so an older run may have left another one.
            let _ = std::fs::remove_dir_all(&folder);
            shell::output(
                Command::new(&bindgen)
                    .current_dir(&root)
                    .args(["generate", "--no-format", "--language", language, "--out-dir"])
                    .arg(&folder)
                    .arg("--library")
                    .arg(&library),
            )?;
            let text = source(&folder, extension)?.ok_or("uniffi-bindgen wrote nothing")?;
            mobile(language, surface, codes, &text, &renames(language)?, &mut faults);
        }
    }
    Ok(Answers { faults, stale })
}

fn newest(folder: &Path) -> Result<SystemTime> {
    let mut latest = SystemTime::UNIX_EPOCH;
    for entry in std::fs::read_dir(folder)? {
        let entry = entry?;
        let time = if entry.file_type()?.is_dir() { newest(&entry.path())? } else { entry.metadata()?.modified()? };
        latest = latest.max(time);
    }
    Ok(latest)
}

/// The text of the one file below `folder` that ends in `.extension`.
fn source(folder: &Path, extension: &str) -> Result<Option<String>> {
    for entry in std::fs::read_dir(folder)? {
        let path = entry?.path();
        if path.is_dir() {
            if let Some(text) = source(&path, extension)? {
                return Ok(Some(text));
            }
        } else if path.extension().is_some_and(|e| e == extension) {
            return Ok(Some(std::fs::read_to_string(path)?));
        }
    }
    Ok(None)
}

/// What `async for` and `for` call on a stream in Python.
const ITERATION: &[&str] = &["__aiter__", "__anext__", "__iter__", "__next__"];

/// What `async with` and `with` call.
const CONTEXT: &[&str] = &["__aenter__", "__aexit__", "__enter__", "__exit__"];

fn python(surface: &Surface) -> Members {
    let members = |item: &Item| -> BTreeSet<String> {
        match &item.kind {
            Kind::Id => BTreeSet::new(),
            Kind::Record { fields, .. } => fields.iter().map(|f| f.name.clone()).collect(),
            Kind::StringEnum(variants) => {
                let names = variants.iter().map(|v| snake(&v.name).to_ascii_uppercase());
                names.chain(["value".to_owned()]).collect()
            }
            Kind::TaggedEnum(variants) => {
                let field = |v: &str, f: &str| format!("{v}.{f}");
                let fields = variants.iter().flat_map(|v| v.fields.iter().map(move |f| field(&v.name, &f.name)));
                fields.chain(variants.iter().map(|v| v.name.clone())).collect()
            }
            Kind::Handle(methods) => {
                let twins = methods.iter().filter(|m| m.shape != Shape::Property).map(|m| format!("{}_blocking", m.name));
                let iteration = methods.iter().filter(|m| m.item().is_some()).flat_map(|_| ITERATION);
                let context = methods.iter().filter(|m| m.is_end()).flat_map(|_| CONTEXT);
                let special = iteration.chain(context).map(|name| (*name).to_owned());
                twins.chain(methods.iter().map(|m| m.name.clone())).chain(special).collect()
            }
        }
    };
    surface.classes().map(|item| (item.name.clone(), members(item))).collect()
}

/// Records, tagged enums and ids are plain values in JavaScript: they leave no trace at run time.
fn node(surface: &Surface) -> Members {
    let members = |item: &Item| -> Option<BTreeSet<String>> {
        match &item.kind {
            Kind::StringEnum(variants) => Some(variants.iter().map(|v| v.name.clone()).collect()),
            Kind::Handle(methods) => Some(methods.iter().map(|m| camel(&m.name)).collect()),
            _ => None,
        }
    };
    surface.items.iter().filter_map(|item| Some((item.name.clone(), members(item)?))).collect()
}

fn compare(language: &str, declared: &Members, found: &Members, faults: &mut Vec<String>) {
    let none = BTreeSet::new();
    for name in declared.keys().chain(found.keys()).collect::<BTreeSet<_>>() {
        match (declared.get(name), found.get(name)) {
            (Some(_), None) => faults.push(format!("{language}: class `{name}` is missing")),
            (None, Some(_)) => faults.push(format!("{language}: class `{name}` is not declared in atom-core/src")),
            (declared, found) => {
                let (declared, found) = (declared.unwrap_or(&none), found.unwrap_or(&none));
                faults.extend(declared.difference(found).map(|m| format!("{language}: `{name}.{m}` is missing")));
                faults.extend(found.difference(declared).map(|m| format!("{language}: `{name}.{m}` is not declared")));
            }
        }
    }
}

/// The names that atom-core/uniffi.toml changes in a language, because they mean something else there.
fn renames(language: &str) -> Result<toml::Table> {
    let text = std::fs::read_to_string(shell::root().join("atom-core/uniffi.toml")).unwrap_or_default();
    let config: toml::Table = text.parse().map_err(|e| format!("atom-core/uniffi.toml: {e}"))?;
    let table = config.get("bindings").and_then(|b| b.get(language)?.get("rename")?.as_table());
    Ok(table.cloned().unwrap_or_default())
}

/// Kotlin and Swift are asked through their generated text, which has every declaration on a line of its own.
fn mobile(language: &str, surface: &Surface, codes: &[String], text: &str, renames: &toml::Table, faults: &mut Vec<String>) {
    let renamed = |name: &str| renames.get(name).and_then(toml::Value::as_str);
    for item in &surface.items {
        let name = renamed(&item.name).unwrap_or(&item.name);
        let Some(names) = names_within(text, name) else {
            faults.push(format!("{language}: `{name}` is missing"));
            continue;
        };
        let wanted: Vec<&str> = match &item.kind {
            Kind::Id => vec![],
            Kind::Record { fields, .. } => fields.iter().map(|f| f.name.as_str()).collect(),
            Kind::StringEnum(variants) | Kind::TaggedEnum(variants) => variants.iter().map(|v| v.name.as_str()).collect(),
            Kind::Handle(methods) => methods.iter().map(|m| m.name.as_str()).collect(),
        };
        for member in wanted {
            let there = renamed(&format!("{}.{member}", item.name)).unwrap_or(member);
            if !names.contains(&squash(there)) {
                faults.push(format!("{language}: `{name}.{there}` is missing"));
            }
        }
    }
    let errors = names_within(text, "AtomException").or_else(|| names_within(text, "AtomError")).unwrap_or_default();
    faults.extend(codes.iter().filter(|c| !errors.contains(&squash(c))).map(|c| format!("{language}: no error for `{c}`")));
}

/// The names declared between the declaration of `name` and the converter that is generated after it.
fn names_within(text: &str, name: &str) -> Option<HashSet<String>> {
    let declares = |line: &str| declared_name(line).is_some_and(|found| found == name);
    let mut lines = text.lines().skip_while(|line| line.starts_with(' ') || !declares(line)).peekable();
    lines.peek()?;
    let body = lines.take_while(|line| !line.contains("FfiConverterRustBuffer") && !line.contains("object FfiConverterType"));
    Some(body.filter_map(declared_name).map(squash).collect())
}

/// The name that a line of Kotlin or Swift declares.
fn declared_name(line: &str) -> Option<&str> {
    let mut words = line.split(|c: char| !c.is_alphanumeric() && c != '_').filter(|w| !w.is_empty());
    let keywords = ["class", "struct", "enum", "typealias", "fun", "func", "var", "val", "let", "case"];
    let first = line.trim().trim_end_matches([',', ';']);
    if !first.is_empty() && first.chars().all(|c| c.is_ascii_uppercase() || c == '_') {
        return Some(first); // an entry of a Kotlin enum
    }
    words.find(|w| keywords.contains(w))?;
    words.find(|w| !keywords.contains(w))
}

/// One spelling for `echo_many`, `echoMany`, `EchoMany` and `ECHO_MANY`.
fn squash(name: &str) -> String {
    name.chars().filter(char::is_ascii_alphanumeric).map(|c| c.to_ascii_lowercase()).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn members(list: &[(&str, &[&str])]) -> Members {
        list.iter().map(|(class, names)| ((*class).to_owned(), names.iter().map(|n| (*n).to_owned()).collect())).collect()
    }

    #[test]
    fn what_is_missing_and_what_nobody_declared_are_both_faults() {
        let mut faults = Vec::new();
        let (declared, found) =
            (members(&[("Probe", &["echo", "wait"]), ("Gone", &[])]), members(&[("Probe", &["echo", "extra"])]));
        compare("Node", &declared, &found, &mut faults);
        assert_eq!(
            faults,
            ["Node: class `Gone` is missing", "Node: `Probe.wait` is missing", "Node: `Probe.extra` is not declared"]
        );
    }

    #[test]
    fn names_are_found_in_kotlin_and_in_swift_but_only_inside_their_class() {
        let kotlin = "open class Probe: Disposable {\n    override suspend fun `echoMany`(`a`: Int) {}\n}\n\
                      public object FfiConverterTypeProbe\nenum class Weight {\n    VERY_HEAVY,\n}\n";
        let names = names_within(kotlin, "Probe").expect("it is declared");
        assert!(names.contains("echomany") && !names.contains("veryheavy"));
        assert!(names_within(kotlin, "Weight").expect("it is declared").contains("veryheavy"));
        let swift = "public enum Shape: Equatable {\n    case plane(label: String?\n    )\n}\n";
        assert!(names_within(swift, "Shape").expect("it is declared").contains("plane"));
        assert!(names_within(swift, "Probe").is_none());
    }
}
