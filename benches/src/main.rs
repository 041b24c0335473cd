//! The drivers in Rust of the measurements beside peers: `drivers jobs …`, `drivers listing …`, `drivers sessions …`, `drivers tokens …`.

mod jobs;
mod listing;
mod sessions;
mod tokens;

use atom_core::{LocalKey, Result};
use std::collections::HashMap;
use std::io::Write;
use std::str::FromStr;

#[tokio::main]
async fn main() -> Result<()> {
    let mut arguments = std::env::args().skip(1);
    let what = arguments.next();
    let given = Given::new(&arguments.collect::<Vec<_>>());
    match what.as_deref() {
        Some("jobs") => jobs::run(&given).await,
        Some("listing") => listing::run(&given).await,
        Some("sessions") => sessions::run(&given).await,
        Some("tokens") => tokens::run(&given).await,
        other => panic!("there is no driver {other:?}"),
    }
}

/// The arguments, as `--name value`.
struct Given(HashMap<String, String>);

impl Given {
    fn new(arguments: &[String]) -> Self {
        let pairs = arguments.chunks_exact(2);
        Self(pairs.map(|pair| (pair[0].trim_start_matches("--").to_owned(), pair[1].clone())).collect())
    }

    fn text(&self, name: &str) -> &str {
        &self.0[name]
    }

    fn number<T: FromStr<Err: std::fmt::Debug>>(&self, name: &str) -> Option<T> {
        self.0.get(name).map(|text| text.parse().expect("a number"))
    }
}

/// The key of every database that is measured.
const KEY: &str = "AAECAwQFBgcICQoLDA0ODxAREhMUFRYXGBkaGxwdHh8=";

fn key() -> Result<LocalKey> {
    LocalKey::from_base64(&KEY.into())
}

fn line(text: &str) {
    writeln!(std::io::stdout(), "{text}").expect("standard output");
}
