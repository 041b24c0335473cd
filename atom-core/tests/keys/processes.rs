//! Other processes of the installation that rotate its keys: this test program once more. They are killed.

use super::*;
use crate::process::{random, say};
use serde::{Deserialize, Serialize};
use std::process::Stdio;
use tokio::io::{AsyncBufReadExt, BufReader, Lines};
use tokio::process::{Child, ChildStdout, Command};

/// What a process rotates.
#[derive(Clone, Serialize, Deserialize)]
pub(super) struct Part {
    pub(super) url: String,
    /// The key that wraps, then the one that is accepted.
    pub(super) keys: [String; 2],
    pub(super) workspaces: Vec<WorkspaceId>,
    /// After how long an older data key that nothing names is destroyed.
    pub(super) quiet_ms: i64,
}

/// Such a process, as the test sees it.
pub(super) struct Process {
    child: Child,
    lines: Lines<BufReader<ChildStdout>>,
}

impl Process {
    pub(super) fn start(part: &Part) -> Self {
        let mut child = Command::new(std::env::current_exe().unwrap())
            .args(["--exact", "keys::processes::process", "--nocapture"])
            .env("ATOM_TEST_ROTATION", serde_json::to_string(part).unwrap())
            .stdin(Stdio::null())
            .stdout(Stdio::piped())
            .kill_on_drop(true)
            .spawn()
            .unwrap();
        let lines = BufReader::new(child.stdout.take().unwrap()).lines();
        Self { child, lines }
    }

    /// Waits until it rotates.
    pub(super) async fn ready(&mut self) {
        let ready = async {
            while let Some(line) = self.lines.next_line().await.unwrap() {
                if line.contains("> ready") {
                    return;
                }
            }
            panic!("a rotating process ended: {:?}", self.child.wait().await);
        };
        tokio::time::timeout(Duration::from_secs(60), ready).await.expect("it starts");
    }

    /// Kills it with signal 9.
    pub(super) async fn kill(mut self) {
        assert!(self.child.try_wait().unwrap().is_none(), "a rotating process ended before it was killed");
        self.child.kill().await.unwrap();
    }
}

/// The other process: it rotates all keys, again and again. Run among the other tests it has nothing to do.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn process() {
    let Ok(part) = std::env::var("ATOM_TEST_ROTATION") else { return };
    let part: Part = serde_json::from_str(&part).unwrap();
    let Part { url, keys: [current, accepted], workspaces, quiet_ms } = part;
    let atom = Atom::builder(url).key(local(&current)).accept_key(local(&accepted)).open().await.unwrap();
    hurry(&atom, quiet_ms);
    say("ready");
    loop {
        let keys = atom.keys();
        while keys.rotate(Some(1)).await.unwrap().remaining > 0 {}
        let which = usize::try_from(random(workspaces.len() as u64 + 1)).unwrap();
        let workspace = workspaces.get(which).copied();
        match keys.rotate_workspace(workspace).await {
            Ok(_) => {}
            // Another process has the other key in use.
            Err(error) if matches!(error.reason(), "key_retired" | "rotated_meanwhile") => continue,
            Err(error) => panic!("{error:?}"),
        }
        while !keys.reseal(workspace, Some(50)).await.unwrap().is_done {}
    }
}
