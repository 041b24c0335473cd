//! The suites, in the order in which they run: what fails most often and costs least comes first.

use super::workshop::{Workshop, need};
use super::{Ran, Stop, count, key_stores, readme};
use crate::{bindings, conformance as harness, shell};
use std::path::{Path, PathBuf};
use std::process::Command;

type Play = fn(&Workshop) -> Result<Ran, Stop>;

pub(super) const ALL: &[(&str, Play)] = &[
    ("rust", rust),
    ("doc", doc),
    ("bindings", bindings),
    ("python", python),
    ("stubs", stubs),
    ("node", node),
    ("types", types),
    ("kotlin", kotlin),
    ("mobile-python", mobile_python),
    ("swift", swift),
    ("conformance", conformance),
    ("peers", peers),
    ("examples", examples),
    ("readme", readme::play),
];

/// The suites that get a database on PostgreSQL.
pub(super) const WITH_DATABASE: &[&str] = &["rust", "python", "node", "kotlin", "mobile-python", "peers", "examples"];

fn rust(workshop: &Workshop) -> Result<Ran, Stop> {
    let mut cargo = workshop.cargo("test");
    cargo.args(["--workspace", "--all-features", "--no-fail-fast", "--lib", "--bins", "--tests"]);
    let (module, keyring) = (key_stores::softhsm(), key_stores::keyring());
    match &module {
        Ok(module) => cargo.env("ATOM_TEST_PKCS11", module),
        Err(_) => cargo.env_remove("ATOM_TEST_PKCS11"),
    };
    let mut ran = workshop.test("rust", cargo, count::cargo)?;
    for (what, missing) in [("no hardware module", module.err()), ("no keychain", keyring.err())] {
        if let Some(why) = missing {
            ran.without(what, &why.to_string());
        }
    }
    Ok(ran)
}

fn doc(workshop: &Workshop) -> Result<Ran, Stop> {
    let mut cargo = workshop.cargo("test");
    cargo.args(["--workspace", "--all-features", "--no-fail-fast", "--doc"]);
    workshop.run("doc", cargo, count::cargo)
}

/// Whether the generated files are current and every library offers what is declared.
fn bindings(workshop: &Workshop) -> Result<Ran, Stop> {
    need("python3")?;
    need("node")?;
    workshop.build()?;
    bindings::check_all()?;
    Ok(Ran { passed: 1, failed: 0, skipped: 0, note: String::new(), ended_well: true, output: String::new() })
}

fn python(workshop: &Workshop) -> Result<Ran, Stop> {
    let tests = folder(workshop, "atom-py/tests")?;
    workshop.build()?;
    let mut pytest = workshop.python()?;
    pytest.current_dir(workshop.root.join("atom-py")).args(["-m", "pytest", "-q", "-p", "no:cacheprovider"]).arg(tests);
    workshop.test("python", pytest, count::pytest)
}

fn stubs(workshop: &Workshop) -> Result<Ran, Stop> {
    let package = folder(workshop, "atom-py/python/atom_py")?;
    workshop.build()?;
    let cache = workshop.root.join("target/mypy");
    let mut mypy = workshop.python()?;
    mypy.args(["-m", "mypy", "--strict", "--explicit-package-bases", "--python-version", "3.10", "--cache-dir"])
        .arg(&cache)
        .arg(package);
    mypy.args(file(workshop, "atom-py/tests/typed_use.py"));
    let first = workshop.run("stubs", mypy, count::one)?;
    if !first.ended_well {
        return Ok(first);
    }
    let mut stubtest = workshop.python()?;
    stubtest.args(["-m", "mypy.stubtest", "atom_py._atom"]);
    let second = workshop.run("stubs", stubtest, count::one)?;
    Ok(Ran { passed: 2, ..second })
}

fn node(workshop: &Workshop) -> Result<Ran, Stop> {
    let tests = folder(workshop, "atom-node/test")?;
    need("node")?;
    workshop.build()?;
    let mut files = files(&tests, &["test.js", "test.mjs", "test.cjs"])?;
    files.sort();
    let mut node = Command::new("node");
    node.current_dir(workshop.root.join("atom-node")).args(["--test", "--test-reporter=tap"]).args(files);
    workshop.test("node", node, count::node)
}

fn types(workshop: &Workshop) -> Result<Ran, Stop> {
    let package = folder(workshop, "atom-node")?;
    let modules = workshop.typescript()?;
    let mut tsc = Command::new("node");
    tsc.current_dir(&package).arg(modules.join("typescript/bin/tsc"));
    tsc.args(["--noEmit", "--strict", "--exactOptionalPropertyTypes", "--target", "es2022", "--module", "nodenext"]);
    tsc.args(["--types", "node", "--typeRoots"]).arg(modules.join("@types")).args(files(&package, &["ts", "mts"])?);
    workshop.run("types", tsc, count::one)
}

fn kotlin(workshop: &Workshop) -> Result<Ran, Stop> {
    let project = file(workshop, "atom-mobile/kotlin/pom.xml")?;
    need("java")?;
    need("mvn")?;
    workshop.build()?;
    let mut maven = Command::new("mvn");
    maven.current_dir(&workshop.root).args(["--batch-mode", "--no-transfer-progress", "-f"]).arg(project).arg("test");
    workshop.test("kotlin", maven, count::maven)
}

fn mobile_python(workshop: &Workshop) -> Result<Ran, Stop> {
    let tests = folder(workshop, "atom-mobile/tests")?;
    workshop.build()?;
    let mut pytest = workshop.python()?;
    pytest.current_dir(workshop.root.join("atom-mobile")).args(["-m", "pytest", "-q", "-p", "no:cacheprovider"]).arg(tests);
    workshop.test("mobile-python", pytest, count::pytest)
}

fn swift(workshop: &Workshop) -> Result<Ran, Stop> {
    let script = file(workshop, "atom-mobile/swift/check_syntax.py")?;
    need("gcc")?;
    let sources = workshop.generated("swift")?;
    std::fs::write(sources.join("Readme.swift"), readme::block(workshop, "swift")?)?;
    let mut python = workshop.python()?;
    python.arg(script).arg(sources);
    workshop.run("swift", python, count::one)
}

/// The folder with the servers that others wrote. The tests start them from there.
pub(super) fn peer_servers(workshop: &Workshop) -> Result<PathBuf, Stop> {
    let lock = file(workshop, "atom-core/tests/peers/package-lock.json")?;
    need("npm")?;
    let (folder, recipe) = (lock.with_file_name(""), std::fs::read_to_string(&lock)?);
    let install = || shell::output(Command::new("npm").args(["ci", "--no-audit", "--no-fund"]).current_dir(&folder));
    shell::once(&folder.join("node_modules"), &recipe, install).map_err(|e| Stop::Skip(e.to_string()))?;
    Ok(folder)
}

/// Every operation of every provider against a double of its vendor.
fn conformance(workshop: &Workshop) -> Result<Ran, Stop> {
    need("npm")?;
    need("python3")?;
    harness::prepare().map_err(|e| Stop::Skip(e.to_string()))?;
    workshop.run("conformance", harness::test(), count::cargo)
}

/// The tests against servers that others wrote.
fn peers(workshop: &Workshop) -> Result<Ran, Stop> {
    let folder = peer_servers(workshop)?;
    let mut cargo = workshop.cargo("test");
    cargo.args(["--workspace", "--all-features", "--test", "suite", "peers"]).env("ATOM_TEST_PEERS", folder);
    if let Ok(python) = workshop.python() {
        cargo.env("ATOM_TEST_PYTHON", python.get_program());
    }
    workshop.test("peers", cargo, count::cargo)
}

/// Every program below `examples`, each in an empty folder: it passes when it runs to its end. Scripts beside a `Cargo.toml` belong to that
/// program, and a program that asks for DATABASE_URL is run on both databases.
fn examples(workshop: &Workshop) -> Result<Ran, Stop> {
    let examples = folder(workshop, "examples")?;
    workshop.build()?;
    // An example imports the package by its name, as it would after `npm install atom-node`.
    let modules = examples.join("node_modules");
    std::fs::create_dir_all(&modules)?;
    let link = modules.join("atom-node");
    if !link.exists() {
        std::os::unix::fs::symlink(workshop.root.join("atom-node"), &link)?;
    }
    let mut total = Ran { passed: 0, failed: 0, skipped: 0, note: String::new(), ended_well: true, output: String::new() };
    let mut number = 0;
    let mut play = |path: &Path, mut program: Command, on: &str| -> Result<(), Stop> {
        let folder = workshop.root.join("target/examples").join(number.to_string());
        number += 1;
        let _ = std::fs::remove_dir_all(&folder);
        std::fs::create_dir_all(&folder)?;
        program.current_dir(folder);
        println!("  {}{on}", path.strip_prefix(&examples).unwrap_or(path).display());
        let ran = workshop.run("examples", program, count::one)?;
        if ran.ended_well {
            total.passed += 1;
        } else {
            total.failed += 1;
            total.output += &format!("{}{on}:\n{}\n", path.display(), ran.output);
        }
        Ok(())
    };
    for path in files(&examples, &["py", "mjs", "Cargo.toml", "pom.xml"])? {
        let is_script = matches!(path.extension().and_then(|e| e.to_str()), Some("py" | "mjs"));
        if is_script && path.with_file_name("Cargo.toml").exists() {
            continue;
        }
        play(&path, example(workshop, &path)?, "")?;
        let main = path.with_file_name("src").join("main.rs");
        if std::fs::read_to_string(main).is_ok_and(|source| source.contains("DATABASE_URL"))
            && let Ok(server) = workshop.server()
        {
            let mut program = example(workshop, &path)?;
            program.env("DATABASE_URL", server.url("examples"));
            play(&path, program, " on PostgreSQL")?;
        }
    }
    Ok(total)
}

/// How an example is started.
fn example(workshop: &Workshop, path: &Path) -> Result<Command, Stop> {
    Ok(match path.extension().and_then(|e| e.to_str()) {
        Some("py") => {
            let mut python = workshop.python()?;
            python.arg(path);
            python
        }
        Some("mjs") => {
            let mut node = Command::new("node");
            node.arg(path);
            node
        }
        Some("xml") => {
            let mut maven = Command::new("mvn");
            maven.args(["--batch-mode", "--quiet", "-f"]).arg(path).args(["compile", "exec:exec"]);
            maven
        }
        _ => {
            let name = path.parent().and_then(Path::file_name).unwrap_or_default();
            let mut program = Command::new(workshop.root.join("target/debug").join(name));
            if let Ok(python) = workshop.python() {
                program.env("PYTHON", python.get_program()).env("PYTHONPATH", workshop.root.join("atom-py/python"));
            }
            program
        }
    })
}

fn folder(workshop: &Workshop, path: &str) -> Result<PathBuf, Stop> {
    let folder = workshop.root.join(path);
    if folder.is_dir() { Ok(folder) } else { Err(Stop::Skip(format!("there is no {path}"))) }
}

fn file(workshop: &Workshop, path: &str) -> Result<PathBuf, Stop> {
    let file = workshop.root.join(path);
    if file.is_file() { Ok(file) } else { Err(Stop::Skip(format!("there is no {path}"))) }
}

/// The files below a folder whose name ends so, without what was installed or built there.
fn files(folder: &Path, endings: &[&str]) -> Result<Vec<PathBuf>, Stop> {
    let mut found = Vec::new();
    for entry in std::fs::read_dir(folder)? {
        let path = entry?.path();
        let name = path.file_name().unwrap_or_default().to_string_lossy().into_owned();
        if path.is_dir() && name != "node_modules" && name != "target" {
            found.extend(files(&path, endings)?);
        } else if path.is_file() && endings.iter().any(|end| name == *end || name.ends_with(&format!(".{end}"))) {
            found.push(path);
        }
    }
    found.sort();
    Ok(found)
}
