//! Jobs that were taken and have not started. Workspaces take turns here too: what one of them has many of does not keep another waiting.

use crate::jobs::store::Claimed;
use std::collections::{HashMap, VecDeque};
use uuid::Uuid;

#[derive(Default)]
pub(super) struct Buffer {
    jobs: HashMap<Uuid, VecDeque<Claimed>>,
    /// The workspaces that have jobs here, in the order of their turns.
    turns: VecDeque<Uuid>,
    len: usize,
}

impl Buffer {
    pub(super) fn len(&self) -> usize {
        self.len
    }

    pub(super) fn push(&mut self, job: Claimed) {
        let workspace = job.workspace.0;
        let jobs = self.jobs.entry(workspace).or_default();
        if jobs.is_empty() {
            // Whoever had none is next.
            self.turns.push_front(workspace);
        }
        jobs.push_back(job);
        self.len += 1;
    }

    pub(super) fn pop(&mut self) -> Option<Claimed> {
        let workspace = self.turns.pop_front()?;
        let jobs = self.jobs.get_mut(&workspace)?;
        let job = jobs.pop_front()?;
        if jobs.is_empty() {
            self.jobs.remove(&workspace);
        } else {
            self.turns.push_back(workspace);
        }
        self.len -= 1;
        Some(job)
    }

    /// All of them, and none is left.
    pub(super) fn take(&mut self) -> Vec<Claimed> {
        std::iter::from_fn(|| self.pop()).collect()
    }
}
