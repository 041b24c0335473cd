//! `cargo xtask bindings`: what the languages need beside the compiled library, written from the sources of atom-core.

mod mobile;
mod module;
mod node;
mod parity;
mod python;

use crate::surface::Surface;
use crate::{Result, shell};
use parity::Answers;
use std::path::PathBuf;

struct Generated {
    file: PathBuf,
    text: String,
}

fn generate(surface: &Surface, codes: &[String]) -> Result<Vec<Generated>> {
    let root = shell::root();
    let mut all = vec![
        Generated { file: root.join("atom-py/src/lib.rs"), text: module::generate(surface)? },
        Generated { file: root.join("atom-py/python/atom_py/_atom.pyi"), text: python::generate(surface) },
        Generated { file: root.join("atom-node/index.d.ts"), text: node::generate(surface, codes) },
        Generated { file: root.join("atom-node/index.mjs"), text: node::module(surface) },
    ];
    // What is only there for tests must not be named where an application compiles it.
    for (of_tests, kotlin, swift) in [
        (false, "kotlin/src/main/kotlin/dev/atom/Streams.kt", "swift/Sources/Atom/Streams.swift"),
        (true, "kotlin/src/test/kotlin/dev/atom/TestStreams.kt", "swift/Tests/AtomTests/TestStreams.swift"),
    ] {
        let streams = mobile::streams(surface, of_tests);
        if !streams.is_empty() {
            all.push(Generated { file: root.join("atom-mobile").join(kotlin), text: mobile::kotlin(&streams) });
            all.push(Generated { file: root.join("atom-mobile").join(swift), text: mobile::swift(&streams, of_tests)? });
        }
    }
    Ok(all)
}

/// The error codes, from the catalogue that a test of atom-core keeps equal to the code.
fn codes() -> Result<Vec<String>> {
    let text = std::fs::read_to_string(shell::root().join("atom-core/testdata/errors.json"))?;
    let entries: Vec<serde_json::Value> = serde_json::from_str(&text)?;
    Ok(entries.iter().filter_map(|e| e["code"].as_str().map(str::to_owned)).collect())
}

pub(crate) fn write() -> Result<()> {
    for Generated { file, text } in generate(&Surface::read()?, &codes()?)? {
        if std::fs::read_to_string(&file).ok().as_ref() == Some(&text) {
            continue;
        }
        if let Some(folder) = file.parent() {
            std::fs::create_dir_all(folder)?;
        }
        std::fs::write(&file, text)?;
        println!("wrote {}", file.display());
    }
    Ok(())
}

/// Fails if a generated file is out of date, or if a compiled library that is current lacks something.
pub(crate) fn check() -> Result<()> {
    let (faults, stale) = faults()?;
    for library in stale {
        println!("not asked: {library}");
    }
    if faults.is_empty() { Ok(()) } else { Err(faults.join("\n").into()) }
}

/// The same where everything has just been compiled: then each library must answer.
pub(crate) fn check_all() -> Result<()> {
    let (faults, stale) = faults()?;
    let all = [faults, stale].concat();
    if all.is_empty() { Ok(()) } else { Err(all.join("\n").into()) }
}

fn faults() -> Result<(Vec<String>, Vec<String>)> {
    let (surface, codes) = (Surface::read()?, codes()?);
    let Answers { mut faults, stale } = parity::ask(&surface, &codes)?;
    for Generated { file, text } in generate(&surface, &codes)? {
        if std::fs::read_to_string(&file).unwrap_or_default() != text {
            faults.push(format!("{} is out of date: run `cargo xtask bindings`", file.display()));
        }
    }
    Ok((faults, stale))
}
