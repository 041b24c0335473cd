//! Running other programs.

use crate::Result;
use std::env::consts::{DLL_PREFIX, DLL_SUFFIX};
use std::io::Write;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};

/// The root of the workspace.
pub(crate) fn root() -> PathBuf {
    let here = Path::new(env!("CARGO_MANIFEST_DIR"));
    here.parent().unwrap_or(here).to_owned()
}

/// A compiled library of the workspace.
pub(crate) fn library(name: &str) -> PathBuf {
    root().join("target/debug").join(format!("{DLL_PREFIX}{name}{DLL_SUFFIX}"))
}

/// Whether a program of this name is on the path.
pub(crate) fn exists(program: &str) -> bool {
    std::env::var_os("PATH").is_some_and(|path| std::env::split_paths(&path).any(|folder| folder.join(program).is_file()))
}

/// Runs to the end and returns what was printed on standard output; a failure carries all that was printed.
pub(crate) fn output(command: &mut Command) -> Result<String> {
    output_with_input(command, "")
}

/// The same, with a text on standard input.
pub(crate) fn output_with_input(command: &mut Command, input: &str) -> Result<String> {
    let name = command.get_program().to_string_lossy().into_owned();
    command.stdin(Stdio::piped()).stdout(Stdio::piped()).stderr(Stdio::piped());
    let mut child = command.spawn().map_err(|e| format!("{name}: {e}"))?;
    if let Some(mut stdin) = child.stdin.take() {
        // A program that does not read its input is free to end before this.
        let _ = stdin.write_all(input.as_bytes());
    }
    let done = child.wait_with_output()?;
    let text = String::from_utf8_lossy(&done.stdout).into_owned();
    if done.status.success() {
        return Ok(text);
    }
    Err(format!("{name} failed ({}):\n{text}{}", done.status, String::from_utf8_lossy(&done.stderr)).into())
}

/// Installs npm packages (`name@version`) below `target` once and returns their `node_modules`.
pub(crate) fn npm_install(name: &str, packages: &[&str]) -> Result<PathBuf> {
    let folder = root().join("target/npm").join(name);
    once(&folder, &packages.join("\n"), || {
        output(Command::new("npm").args(["install", "--no-audit", "--no-fund", "--prefix"]).arg(&folder).args(packages))
    })?;
    Ok(folder.join("node_modules"))
}

/// Makes `folder` unless it was made for the same `recipe` before.
pub(crate) fn once(folder: &Path, recipe: &str, make: impl FnOnce() -> Result<String>) -> Result<()> {
    let stamp = folder.join(".recipe");
    if std::fs::read_to_string(&stamp).is_ok_and(|made| made == recipe) {
        return Ok(());
    }
    let _ = std::fs::remove_dir_all(folder);
    std::fs::create_dir_all(folder)?;
    make()?;
    Ok(std::fs::write(stamp, recipe)?)
}
