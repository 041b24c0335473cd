//! `cargo xtask bindings`: what the languages need beside the compiled library, written from the sources of atom-core.

mod module;
mod node;
mod parity;
mod python;

use crate::surface::Surface;
use crate::{Result, shell};
use std::path::PathBuf;

struct Generated {
    file: PathBuf,
    text: String,
}

fn generate(surface: &Surface, codes: &[String]) -> Result<Vec<Generated>> {
    let root = shell::root();
    Ok(vec![
        Generated { file: root.join("atom-py/src/lib.rs"), text: module::generate(surface)? },
        Generated { file: root.join("atom-py/python/atom_py/_atom.pyi"), text: python::generate(surface) },
        Generated { file: root.join("atom-node/index.d.ts"), text: node::generate(surface, codes) },
    ])
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

/// Fails if a generated file is out of date or if a compiled library lacks something.
pub(crate) fn check() -> Result<()> {
    let (surface, codes) = (Surface::read()?, codes()?);
    let mut faults = Vec::new();
    for Generated { file, text } in generate(&surface, &codes)? {
        if std::fs::read_to_string(&file).unwrap_or_default() != text {
            faults.push(format!("{} is out of date: run `cargo xtask bindings`", file.display()));
        }
    }
    faults.extend(parity::faults(&surface, &codes)?);
    if faults.is_empty() { Ok(()) } else { Err(faults.join("\n").into()) }
}
