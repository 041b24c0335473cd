//! What the suites share, each made when the first suite asks for it: the compiled libraries, a Python with the test
//! packages, the TypeScript compiler and a PostgreSQL server.

use super::count::Reader;
use super::postgres::Server;
use super::{Ran, Stop, suites};
use crate::{Result, shell};
use std::cell::OnceCell;
use std::io::IsTerminal;
use std::os::unix::process::CommandExt;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};
use std::time::{Duration, Instant};

const PYTHON_PACKAGES: &str = "aiosmtpd==1.4.6\nlocalstripe==1.15.10\nmypy==2.4.1\noauthlib==3.3.1\npytest==9.2.0\nstandardwebhooks==1.1.0\ntree-sitter==0.26.1\ntree-sitter-swift==0.7.4\nuvloop==0.23.0\n";
const NODE_PACKAGES: &[&str] = &["typescript@5.9.3", "@types/node@20.19.43"];

/// Long enough for the slowest suite on a small machine; a suite that hangs must not eat the whole run.
const LIMIT: Duration = Duration::from_secs(45 * 60);

pub(super) struct Workshop {
    pub(super) root: PathBuf,
    built: OnceCell<Result<(), String>>,
    venv: OnceCell<Result<PathBuf, String>>,
    server: OnceCell<Result<Server, String>>,
}

impl Workshop {
    pub(super) fn new() -> Self {
        Self { root: shell::root(), built: OnceCell::new(), venv: OnceCell::new(), server: OnceCell::new() }
    }

    /// Compiles everything once, and puts the libraries where Python and Node look for them.
    pub(super) fn build(&self) -> Result<(), Stop> {
        let made = self.built.get_or_init(|| {
            println!("  compiling");
            let build = || -> Result<()> {
                shell::output(self.cargo("build").arg("--workspace").arg("--all-features"))?;
                replace(&shell::library("_atom"), &self.root.join("atom-py/python/atom_py/_atom.abi3.so"))?;
                let name = shell::output(Command::new("node").args(["-p", NODE_LIBRARY]));
                // Without Node there is nobody to load it.
                name.map_or(Ok(()), |name| replace(&shell::library("atom_node"), &self.root.join("atom-node").join(name.trim())))
            };
            build().map_err(|e| e.to_string())
        });
        made.clone().map_err(Stop::Fail)
    }

    pub(super) fn cargo(&self, command: &str) -> Command {
        let mut cargo = Command::new("cargo");
        cargo.current_dir(&self.root).arg(command);
        cargo
    }

    /// A Python with the test packages, which finds `atom_py` in the repository.
    pub(super) fn python(&self) -> Result<Command, Stop> {
        let made = self.venv.get_or_init(|| {
            let folder = self.root.join("target/venv");
            let make = || {
                println!("  making {}", folder.display());
                shell::output(Command::new("python3").args(["-m", "venv"]).arg(&folder))?;
                let mut pip = Command::new(folder.join("bin/pip"));
                shell::output(pip.args(["install", "--quiet", "--disable-pip-version-check"]).args(PYTHON_PACKAGES.lines()))
            };
            shell::once(&folder, PYTHON_PACKAGES, make).map(|()| folder).map_err(|e| e.to_string())
        });
        let folder = made.clone().map_err(Stop::Skip)?;
        let mut python = Command::new(folder.join("bin/python"));
        let packages = self.root.join("atom-py/python");
        python.current_dir(&self.root).env("PYTHONPATH", &packages).env("MYPYPATH", &packages);
        python.env("PATH", prepend(&folder.join("bin")));
        Ok(python)
    }

    /// The `node_modules` with the TypeScript compiler and the types of Node.
    pub(super) fn typescript(&self) -> Result<PathBuf, Stop> {
        need("npm")?;
        shell::npm_install("typescript", NODE_PACKAGES).map_err(|e| Stop::Skip(e.to_string()))
    }

    /// The sources that UniFFI makes of the compiled mobile library.
    pub(super) fn generated(&self, language: &str) -> Result<PathBuf, Stop> {
        self.build()?;
        let folder = self.root.join("target/mobile").join(language);
        let _ = std::fs::remove_dir_all(&folder);
        let mut bindgen = Command::new(self.root.join("target/debug/uniffi-bindgen"));
        bindgen.current_dir(&self.root).arg("generate").arg(shell::library("atom_mobile"));
        bindgen.args(["--no-format", "--metadata-no-deps", "--language", language, "--out-dir"]).arg(&folder);
        shell::output(&mut bindgen)?;
        Ok(folder)
    }

    /// The server with a database for each suite.
    pub(super) fn server(&self) -> &Result<Server, String> {
        self.server.get_or_init(|| {
            println!("  starting PostgreSQL");
            Server::start(suites::WITH_DATABASE).map_err(|e| e.to_string())
        })
    }

    /// Runs a suite with a database of its own on PostgreSQL, beside the SQLite that needs nothing.
    pub(super) fn test(&self, suite: &str, mut command: Command, read: Reader) -> Result<Ran, Stop> {
        let missing = match self.server() {
            Ok(server) => {
                command.env("ATOM_TEST_POSTGRES", server.url(suite));
                None
            }
            Err(why) => {
                command.env_remove("ATOM_TEST_POSTGRES");
                Some(why)
            }
        };
        let mut ran = self.run(suite, command, read)?;
        if let Some(why) = missing {
            ran.without("on SQLite only", why);
        }
        Ok(ran)
    }

    /// Runs a suite. What it prints goes to `target/test/<suite>.log`.
    pub(super) fn run(&self, suite: &str, mut command: Command, read: Reader) -> Result<Ran, Stop> {
        let folder = self.root.join("target/test");
        std::fs::create_dir_all(&folder)?;
        let path = folder.join(format!("{suite}.log"));
        let log = std::fs::File::create(&path)?;
        command.stdin(Stdio::null()).stdout(log.try_clone()?).stderr(log);
        // At a terminal, Ctrl-C reaches the whole family; elsewhere the limit below has to.
        let alone = !std::io::stdin().is_terminal();
        if alone {
            command.process_group(0);
        }
        let mut child = command.spawn().map_err(|e| Stop::Skip(format!("{}: {e}", command.get_program().display())))?;
        let start = Instant::now();
        let status = loop {
            if let Some(status) = child.try_wait()? {
                break status;
            }
            if alone && start.elapsed() > LIMIT {
                let _ = Command::new("kill").args(["-KILL", "--", &format!("-{}", child.id())]).status();
                child.wait()?;
                return Err(Stop::Fail(format!("gave no answer for {} minutes: see {}", LIMIT.as_secs() / 60, path.display())));
            }
            std::thread::sleep(Duration::from_millis(50));
        };
        let output = String::from_utf8_lossy(&std::fs::read(&path)?).into_owned();
        let count = read(&output);
        let note = if count.skipped > 0 { format!("{} of its tests", count.skipped) } else { String::new() };
        let (passed, failed, skipped) = (count.passed, count.failed, count.skipped);
        Ok(Ran { passed, failed, skipped, note, ended_well: status.success(), output })
    }
}

/// The name under which the npm package looks for its library.
const NODE_LIBRARY: &str = "const { platform, arch, report } = process; report.excludeNetwork = true; \
    const libc = platform !== 'linux' ? '' : report.getReport().header.glibcVersionRuntime ? '-gnu' : '-musl'; \
    `atom.${platform}-${arch}${libc}.node`";

pub(super) fn need(program: &str) -> Result<(), Stop> {
    if shell::exists(program) { Ok(()) } else { Err(Stop::Skip(format!("{program} is not installed"))) }
}

/// A library that a running program has open is replaced, not overwritten.
fn replace(from: &Path, to: &Path) -> Result<()> {
    let beside = to.with_extension("new");
    std::fs::copy(from, &beside).map_err(|e| format!("{}: {e}", to.display()))?;
    Ok(std::fs::rename(beside, to)?)
}

fn prepend(folder: &Path) -> std::ffi::OsString {
    let mut path = folder.as_os_str().to_owned();
    if let Some(rest) = std::env::var_os("PATH") {
        path.push(":");
        path.push(rest);
    }
    path
}
