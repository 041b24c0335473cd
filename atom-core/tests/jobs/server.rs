//! A PostgreSQL server of a test's own, to be shut down and started again.

use std::net::TcpListener;
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::time::{Duration, Instant};
use tempfile::TempDir;

pub(super) struct Server {
    programs: PathBuf,
    folder: TempDir,
    port: u16,
    process: Option<Child>,
}

/// How a server is ended.
#[derive(Clone, Copy)]
pub(super) enum End {
    /// Sessions are ended, and the data is stored.
    Fast = 0,
    /// As after a crash: the next start recovers from the log.
    Immediate = 1,
}

impl Server {
    /// A running server, unless its programs are not installed here.
    pub(super) fn start() -> Option<Self> {
        let mut folders: Vec<_> = std::env::split_paths(&std::env::var_os("PATH")?).collect();
        let debian = std::fs::read_dir("/usr/lib/postgresql").into_iter().flatten().flatten();
        folders.extend(debian.map(|version| version.path().join("bin")));
        let programs = folders.into_iter().find(|folder| folder.join("initdb").exists() && folder.join("postgres").exists())?;
        let folder = tempfile::tempdir().unwrap();
        let port = TcpListener::bind("127.0.0.1:0").unwrap().local_addr().unwrap().port();
        let mut server = Self { programs, folder, port, process: None };
        if is_root() {
            let owned = Command::new("chown").arg("postgres").arg(server.folder.path()).status();
            assert!(owned.unwrap().success(), "PostgreSQL does not run as root, and there is no user `postgres`");
        }
        let made = server.command("initdb").args(["-D", "data", "-U", "postgres", "-A", "trust", "-E", "UTF8"]).output().unwrap();
        assert!(made.status.success(), "{}", String::from_utf8_lossy(&made.stderr));
        server.up();
        Some(server)
    }

    pub(super) fn url(&self) -> String {
        format!("postgres://postgres@127.0.0.1:{}/postgres", self.port)
    }

    fn command(&self, program: &str) -> Command {
        let program = self.programs.join(program);
        let mut command = Command::new("setpriv");
        // The server ends when the test does, however that ends.
        command.arg("--pdeathsig=INT");
        if is_root() {
            command.args(["--reuid=postgres", "--regid=postgres", "--clear-groups"]);
        }
        command.arg(program).current_dir(self.folder.path());
        command
    }

    /// Starts it, and waits until it takes requests.
    pub(super) fn up(&mut self) {
        let log = std::fs::File::options().create(true).append(true).open(self.folder.path().join("log")).unwrap();
        let mut command = self.command("postgres");
        command.args(["-D", "data", "-k", "", "-c", "listen_addresses=127.0.0.1", "-c", "max_connections=200"]);
        command.args(["-p", &self.port.to_string()]);
        self.process = Some(command.stdin(Stdio::null()).stdout(log.try_clone().unwrap()).stderr(log).spawn().unwrap());
        let began = Instant::now();
        while !is_ready(self.folder.path()) {
            assert!(began.elapsed() < Duration::from_secs(60), "the server does not start");
            std::thread::sleep(Duration::from_millis(20));
        }
    }

    pub(super) fn down(&mut self, how: End) {
        let Some(mut process) = self.process.take() else { return };
        let signal = ["-INT", "-QUIT"][how as usize];
        assert!(Command::new("kill").args([signal, &process.id().to_string()]).status().unwrap().success());
        process.wait().unwrap();
    }
}

impl Drop for Server {
    fn drop(&mut self) {
        self.down(End::Fast);
    }
}

fn is_ready(folder: &Path) -> bool {
    let status = std::fs::read_to_string(folder.join("data/postmaster.pid")).unwrap_or_default();
    status.lines().nth(7).is_some_and(|line| line.trim() == "ready")
}

fn is_root() -> bool {
    Command::new("id").arg("-u").output().is_ok_and(|out| out.stdout.starts_with(b"0\n"))
}
