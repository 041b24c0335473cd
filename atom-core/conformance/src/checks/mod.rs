//! What is checked of every operation of a manifest, and of its sign-in.

mod bench;
mod bite;
mod calls;
mod faults;
mod sign_in;

use crate::coverage::{Row, SignInRow};
use crate::inputs::Inputs;
use crate::manifest::{self, Manifest, Operation};
use crate::sources::{Descriptions, Sources};
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
    /// The requests of a sign-in are those that the vendor documents.
    SignIn,
    /// The double refuses what is wrong with one of them.
    SignInBite,
}

/// What the checks of one provider found.
#[derive(Default)]
pub struct Outcome {
    /// Why nothing was checked.
    pub skipped: Option<String>,
    /// What is wrong, by kind of check.
    pub faults: BTreeMap<Check, Vec<String>>,
    pub(crate) rows: Vec<Row>,
    /// Nothing where nobody has looked yet what the vendor says.
    pub(crate) sign_in: Option<SignInRow>,
}

impl Outcome {
    /// Whether what was skipped may be: there is no description at all, or nobody asked for every package to be there.
    pub fn is_skippable(&self) -> bool {
        !self.rows.is_empty() || std::env::var_os("ATOM_CONFORMANCE_ALL").is_none()
    }

    fn add(&mut self, faults: Vec<(Check, String)>) {
        for (check, fault) in faults {
            self.faults.entry(check).or_default().push(fault);
        }
    }

    async fn with_sign_in(mut self, bench: &Bench, number: usize) -> Self {
        let (row, faults) = sign_in::run(bench, number).await;
        self.sign_in = row;
        self.add(faults);
        self
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
        // The sign-in is judged by the vendor's documentation.
        let bench = Bench::start(manifest, Descriptions::default(), inputs, 1).await?;
        let outcome = Outcome { skipped: Some(reason.clone()), rows, ..Outcome::default() };
        return Ok(outcome.with_sign_in(&bench, 1).await);
    }
    let Some(descriptions) = sources.descriptions(provider)? else {
        let why = "its description is not there: `cargo xtask conformance` gets it";
        return Ok(Outcome { skipped: Some(why.into()), ..Outcome::default() });
    };
    let checked: Vec<Operation> = operations.iter().filter(|operation| !operation.is_continuation()).cloned().collect();
    // One account signs in for nothing else.
    let accounts = checked.len() + 1;
    let bench = Bench::start(manifest, descriptions, inputs, accounts.div_ceil(PER_USER)).await?;
    let mut outcome = Outcome::default().with_sign_in(&bench, accounts).await;
    let trials = checked.iter().enumerate().map(|(i, operation)| one(&bench, operation, &operations, i + 1));
    let trials: Vec<_> = stream::iter(trials.collect::<Vec<_>>()).buffered(AT_ONCE).collect().await;
    for (row, faults) in trials {
        outcome.rows.push(row);
        outcome.add(faults);
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
