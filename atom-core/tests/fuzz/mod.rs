//! Every fuzz target over its seeds and some thousands of mutations of them, always the same. The folder `fuzz` of the repository has the programs
//! that go on from there.
#![allow(clippy::print_stdout)] // what was tried is said

mod mutate;

use crate::process::*;
use atom_core::testing::fuzz::TARGETS;
use mutate::Mutator;
use serde::{Deserialize, Serialize};
use std::path::{Path, PathBuf};
use std::time::{Duration, Instant};

const PROCESS: &str = "fuzz::process";
/// How many inputs a target gets, and how many bytes altogether: a few of them are long.
const INPUTS: usize = 4000;
const BYTES: usize = 8_000_000;
/// What one input may take, in a build without optimizations on a machine that does other things too.
const LONGEST: Duration = Duration::from_secs(5);
/// What all of them may need at once beyond what their seeds needed.
const MEMORY: usize = 64 * 1024 * 1024;
/// How often the process says that it lives.
const SIGN: usize = 100;

/// A process that runs one target. If it dies, its last input is in its folder.
#[derive(Serialize, Deserialize)]
struct Part {
    target: String,
    folder: PathBuf,
}

impl Part {
    fn input(&self) -> PathBuf {
        self.folder.join("input")
    }
}

impl Assignment for Part {
    fn test(&self) -> &'static str {
        PROCESS
    }

    fn number(&self) -> i64 {
        1
    }

    fn log(&self) -> std::fs::File {
        std::fs::File::create(self.folder.join("process.log")).unwrap()
    }
}

fn home() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("../fuzz")
}

/// The seeds of a target in the order of their names; of manifests also those that are part of Atom.
fn seeds(target: &str) -> Vec<Vec<u8>> {
    let own = home().join("seeds").join(target);
    let shipped = (target == "manifest").then(|| Path::new(env!("CARGO_MANIFEST_DIR")).join("providers"));
    let folders = std::iter::once(own).chain(shipped);
    let mut files: Vec<PathBuf> =
        folders.flat_map(|folder| std::fs::read_dir(folder).unwrap().map(|entry| entry.unwrap().path())).collect();
    files.sort();
    files.iter().map(|file| std::fs::read(file).unwrap()).collect()
}

#[test]
fn process() {
    let Some(part) = assignment::<Part>(PROCESS) else { return };
    let target = TARGETS.iter().find(|(name, _)| *name == part.target).expect("it is listed").1;
    let run = |input: &[u8]| {
        std::fs::write(part.input(), input).unwrap();
        let begun = Instant::now();
        target(input);
        assert!(begun.elapsed() < LONGEST, "an input took {:?}", begun.elapsed());
    };
    let seeds = seeds(&part.target);
    seeds.iter().for_each(|seed| run(seed));
    let memory = Memory::watch();
    let mut mutator = Mutator::new(&seeds);
    let (mut inputs, mut bytes) = (0, 0);
    while inputs < INPUTS && bytes < BYTES {
        let input = mutator.next();
        run(&input);
        (inputs, bytes) = (inputs + 1, bytes + input.len());
        if inputs % SIGN == 0 {
            say("goes on");
        }
    }
    if let Some(memory) = memory {
        assert!(memory.growth() < MEMORY, "the mutations took {} bytes more than the seeds", memory.growth());
    }
    say(format!("done {inputs}"));
}

/// Tries a target in a process of its own, which may die of what it finds.
async fn tried(name: &str) {
    let folder = Path::new(env!("CARGO_TARGET_TMPDIR")).join("fuzz").join(name);
    std::fs::create_dir_all(&folder).unwrap();
    let part = Part { target: name.to_owned(), folder };
    println!("{name}: what goes wrong is in {}, the input with it", part.folder.display());
    let mut process = Process::start(&part);
    let inputs = loop {
        if let Some(inputs) = process.hear().await.strip_prefix("done ") {
            break inputs.parse::<usize>().unwrap();
        }
    };
    println!("{name}: {inputs} inputs");
    assert!(inputs >= 500, "{name} had {inputs} inputs: its seeds are too long");
    process.stop().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn every_target_withstands_its_seeds_and_thousands_of_mutations_of_them() {
    for (name, _) in TARGETS {
        tried(name).await;
    }
}

#[test]
fn every_target_has_its_program_and_its_seeds() {
    let programs = std::fs::read_to_string(home().join("Cargo.toml")).unwrap();
    for (name, _) in TARGETS {
        let program = format!("name = \"{name}\"\npath = \"fuzz_targets/{name}.rs\"");
        assert!(programs.contains(&program), "fuzz/Cargo.toml has no [[bin]] for {name}");
        let text = std::fs::read_to_string(home().join(format!("fuzz_targets/{name}.rs"))).unwrap();
        assert!(text.contains(&format!("fuzz::{name}(")), "the program of {name} calls something else");
        assert!(std::fs::read_dir(home().join("seeds").join(name)).unwrap().count() > 0, "{name} has no seeds");
    }
    assert_eq!(programs.matches("[[bin]]").count(), TARGETS.len(), "a program has no target");
}

#[test]
fn mutations_are_the_same_each_time_and_differ_from_each_other() {
    let inputs = |seeds: &[Vec<u8>]| {
        let mut mutator = Mutator::new(seeds);
        (0..200).map(|_| mutator.next()).collect::<Vec<_>>()
    };
    let seeds = [b"{\"a\": [1, {\"b\": \"x\"}]}".to_vec(), b"a = \"{b}\"\n[c]\n".to_vec()];
    let (one, other) = (inputs(&seeds), inputs(&seeds));
    assert_eq!(one, other);
    let distinct: std::collections::BTreeSet<_> = one.iter().collect();
    assert!(distinct.len() > 150, "{}", distinct.len());
}
