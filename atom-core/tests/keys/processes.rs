//! Other processes of the installation that rotate its keys. They are killed.

use super::*;
use crate::process::{Assignment, assignment, random, say};
use serde::{Deserialize, Serialize};
use std::path::PathBuf;

const PROCESS: &str = "keys::processes::process";

/// What a process rotates.
#[derive(Clone, Serialize, Deserialize)]
pub(super) struct Part {
    pub(super) number: i64,
    pub(super) url: String,
    pub(super) folder: PathBuf,
    /// The key that wraps, then the one that is accepted.
    pub(super) keys: [String; 2],
    pub(super) workspaces: Vec<WorkspaceId>,
    /// After how long an older data key that nothing names is destroyed.
    pub(super) quiet_ms: i64,
}

impl Assignment for Part {
    fn test(&self) -> &'static str {
        PROCESS
    }

    fn number(&self) -> i64 {
        self.number
    }

    fn log(&self) -> std::fs::File {
        let path = self.folder.join(format!("{}.log", self.number));
        std::fs::File::options().create(true).append(true).open(path).unwrap()
    }
}

/// The other process: it rotates all keys, again and again. Run among the other tests it has nothing to do.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn process() {
    let Some(part) = assignment::<Part>(PROCESS) else { return };
    let Part { url, keys: [current, accepted], workspaces, quiet_ms, .. } = part;
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
