//! The examples of the README: what a newcomer copies must run. The Rust one is a documentation test.

use super::{Ran, Stop, count, workshop::Workshop};
use std::path::{Path, PathBuf};
use std::process::Command;

/// The first block of a language in the README.
pub(super) fn block(workshop: &Workshop, language: &str) -> Result<String, Stop> {
    let text = std::fs::read_to_string(workshop.root.join("README.md"))?;
    let block = text.split(&format!("```{language}\n")).nth(1).and_then(|rest| rest.split("```").next());
    block.map(str::to_owned).ok_or_else(|| Stop::Fail(format!("README.md has no example in {language}")))
}

/// Runs the Python and the TypeScript example, each in an empty folder.
pub(super) fn play(workshop: &Workshop) -> Result<Ran, Stop> {
    workshop.build()?;
    let mut total = Ran { passed: 0, failed: 0, skipped: 0, note: String::new(), ended_well: true, output: String::new() };
    for (language, play) in [("python", python as fn(&Workshop, &Path) -> Result<Command, Stop>), ("ts", typescript)] {
        println!("  {language}");
        let folder = empty(workshop, language)?;
        std::fs::write(folder.join(format!("readme.{language}")), block(workshop, language)?)?;
        let mut program = play(workshop, &folder)?;
        program.current_dir(&folder);
        let ran = workshop.run(&format!("readme-{language}"), program, count::one)?;
        if ran.ended_well {
            total.passed += 1;
        } else {
            total.failed += 1;
            total.output += &ran.output;
        }
    }
    Ok(total)
}

fn python(workshop: &Workshop, folder: &Path) -> Result<Command, Stop> {
    let mut python = workshop.python()?;
    python.arg(folder.join("readme.python"));
    Ok(python)
}

/// Compiled as strictly as a user's project, then run.
fn typescript(workshop: &Workshop, folder: &Path) -> Result<Command, Stop> {
    let modules = workshop.typescript()?;
    let link = folder.join("node_modules");
    std::fs::create_dir_all(&link)?;
    std::os::unix::fs::symlink(workshop.root.join("atom-node"), link.join("atom-node"))?;
    std::fs::rename(folder.join("readme.ts"), folder.join("readme.mts"))?;
    let mut tsc = Command::new("node");
    tsc.current_dir(folder).arg(modules.join("typescript/bin/tsc"));
    tsc.args(["--strict", "--target", "es2022", "--module", "nodenext", "--skipLibCheck", "--types", "node", "--typeRoots"]);
    tsc.arg(modules.join("@types")).arg("readme.mts");
    let compiled = workshop.run("readme-tsc", tsc, count::one)?;
    if !compiled.ended_well {
        return Err(Stop::Fail(compiled.output));
    }
    let mut node = Command::new("node");
    node.arg("readme.mjs");
    Ok(node)
}

fn empty(workshop: &Workshop, language: &str) -> Result<PathBuf, Stop> {
    let folder = workshop.root.join("target/readme").join(language);
    let _ = std::fs::remove_dir_all(&folder);
    std::fs::create_dir_all(&folder)?;
    Ok(folder)
}
