//! A server that someone else wrote, in a process of its own that ends with this one.

use std::io::{BufRead, BufReader, Read};
use std::process::{ChildStdin, Command, Stdio};
use std::sync::{Arc, Mutex, mpsc};
use std::time::Duration;

/// Long enough for a machine that builds something else meanwhile.
const START: Duration = Duration::from_secs(60);

pub(super) struct Server {
    pub(super) url: String,
    log: Arc<Mutex<String>>,
    /// The server reads it to learn when this process ends, however it ends.
    _stdin: ChildStdin,
}

impl Server {
    /// Runs a script of the folder that `ATOM_TEST_PEERS` names; nothing where it names none. Scripts in Python are run by
    /// `ATOM_TEST_PYTHON`.
    pub(super) fn start(script: &str) -> Option<Self> {
        let folder = std::env::var_os("ATOM_TEST_PEERS")?;
        let is_python = script.ends_with(".py");
        let mut command = Command::new(if is_python { std::env::var_os("ATOM_TEST_PYTHON")? } else { "node".into() });
        command.arg(script).current_dir(folder).stdin(Stdio::piped()).stdout(Stdio::piped()).stderr(Stdio::piped());
        let mut child = command.spawn().expect("Node and Python run the servers of others: install Node 20 or later");
        let (stdin, stdout) = (child.stdin.take().unwrap(), child.stdout.take().unwrap());
        let log = Arc::<Mutex<String>>::default();
        keep(child.stderr.take().unwrap(), Arc::clone(&log));

        let (said, hears) = mpsc::channel();
        let output = Arc::clone(&log);
        std::thread::spawn(move || {
            let mut stdout = BufReader::new(stdout);
            let mut line = String::new();
            // Without an end of line the script ended early: what there is of it goes to whoever waits.
            let _ = stdout.read_line(&mut line);
            let _ = said.send(line);
            keep(stdout, output);
        });
        let line = hears.recv_timeout(START).unwrap_or_default();
        let Some(url) = line.trim_end().strip_prefix("ready ").map(str::to_owned) else {
            let _ = child.kill();
            let _ = child.wait();
            panic!("{script} did not start (is `npm ci` done?): {line}{}", log.lock().unwrap());
        };
        Some(Self { url, log, _stdin: stdin })
    }
}

impl Server {
    fn show(&self) {
        if std::thread::panicking() {
            println!("the server wrote:\n{}", self.log.lock().unwrap());
        }
    }
}

/// Reads a stream to its end, so that its writer is never blocked.
fn keep(stream: impl Read + Send + 'static, log: Arc<Mutex<String>>) {
    std::thread::spawn(move || {
        for line in BufReader::new(stream).lines().map_while(Result::ok) {
            *log.lock().unwrap() += &(line + "\n");
        }
    });
}

/// A test that uses a server: when it fails, it shows what the server wrote.
pub(super) struct Visit(pub(super) &'static Server);

impl Drop for Visit {
    fn drop(&mut self) {
        self.0.show();
    }
}

/// A server that one test has for itself, and that ends with it.
pub(super) struct Alone(pub(super) Server);

impl Drop for Alone {
    fn drop(&mut self) {
        self.0.show();
    }
}
