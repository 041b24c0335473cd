//! What is checked of every operation of a manifest.

mod bench;
mod bite;
mod calls;
mod faults;

use crate::coverage::Row;
use crate::inputs::Inputs;
use crate::manifest::{self, Manifest, Operation};
use crate::sources::Sources;
pub(crate) use bench::Bench;
use bench::Trial;
use futures_util::{StreamExt, stream};
use std::collections::BTreeMap;

/// How many operations are checked at once: more would only wait for each other.
const AT_ONCE: usize = 8;
/// One user may begin so many connections within ten minutes, and a few more.
const PER_USER: usize = 50;

/// A kind of check. Each is one test per provider.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Check {
    /// The operation is in the vendor's description.
    Exists,
    /// The smallest call is one that the vendor takes, and its answer is read.
    Minimal,
    /// So is the call with all inputs.
    Full,
    /// Two pages follow each other.
    Pages,
    /// A refusal of the vendor is an error of ours, with its status.
    Refusal,
    /// A 429 is `rate_limited`, with the time to wait.
    RateLimit,
    /// A fault at the vendor is got over where that is safe, and only there.
    Fault,
    /// A token that died early is refreshed, and the call made once more.
    Refresh,
    /// Half an answer is an error.
    Truncated,
    /// The double refuses what is wrong with a request.
    Bite,
}

/// What the checks of one provider found.
#[derive(Default)]
pub struct Outcome {
    /// Why nothing was checked.
    pub skipped: Option<String>,
    /// What is wrong, by kind of check.
    pub faults: BTreeMap<Check, Vec<String>>,
    pub(crate) rows: Vec<Row>,
}

impl Outcome {
    /// Whether what was skipped may be: there is no description at all, or nobody asked for every package to be there.
    pub fn is_skippable(&self) -> bool {
        !self.rows.is_empty() || std::env::var_os("ATOM_CONFORMANCE_ALL").is_none()
    }
}

/// Runs all checks of a provider.
///
/// # Errors
/// A sentence, where the checks cannot even begin: a malformed file, a provider that does not connect.
pub async fn run(provider: &str) -> Result<Outcome, String> {
    let (sources, inputs, manifest) = (Sources::read()?, Inputs::read()?, Manifest::read(provider)?);
    let operations = manifest.operations();
    if let Some(reason) = sources.unchecked.get(provider) {
        let rows = operations.iter().map(|operation| Row::unchecked(provider, operation)).collect();
        return Ok(Outcome { skipped: Some(reason.clone()), rows, ..Outcome::default() });
    }
    let Some(descriptions) = sources.descriptions(provider)? else {
        let why = "its description is not there: `cargo xtask conformance` gets it";
        return Ok(Outcome { skipped: Some(why.into()), ..Outcome::default() });
    };
    let checked: Vec<Operation> = operations.iter().filter(|operation| !operation.is_continuation()).cloned().collect();
    let bench = Bench::start(manifest, descriptions, inputs, checked.len().div_ceil(PER_USER)).await?;
    let trials = checked.iter().enumerate().map(|(i, operation)| one(&bench, operation, &operations, i + 1));
    let trials: Vec<_> = stream::iter(trials.collect::<Vec<_>>()).buffered(AT_ONCE).collect().await;
    let mut outcome = Outcome::default();
    for (row, faults) in trials {
        outcome.rows.push(row);
        for (check, fault) in faults {
            outcome.faults.entry(check).or_default().push(fault);
        }
    }
    Ok(outcome)
}

/// The names of all providers of the catalogue.
///
/// # Errors
/// A sentence, if the folder cannot be read.
pub fn providers() -> Result<Vec<String>, String> {
    manifest::names()
}

async fn one(bench: &Bench, operation: &Operation, all: &[Operation], number: usize) -> (Row, Vec<(Check, String)>) {
    let siblings: Vec<Operation> =
        all.iter().filter(|other| other.service == operation.service && other.name != operation.name).cloned().collect();
    let mut row = Row::of(bench.provider(), operation, bench.grade());
    let mut trial = match Trial::new(bench, operation, &siblings, number).await {
        Ok(trial) => trial,
        Err(why) => return (row, vec![(Check::Exists, format!("{}: {why}", operation.name))]),
    };
    if trial.exists() {
        let goes_through = trial.minimal().await;
        row.response = trial.full().await;
        row.is_checked = trial.is_clean();
        if row.is_checked {
            row.weak = trial.bite();
        }
        if !goes_through {
            // What follows would only say the same in other words.
            return (row, trial.faults);
        }
        trial.pages().await;
        trial.refusal().await;
        trial.truncated().await;
        trial.outage().await;
        trial.refresh().await;
        // Last, because the connection then waits.
        trial.rate_limit().await;
    }
    (row, trial.faults)
}
