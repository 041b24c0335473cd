//! Trims a vendor's description to what our manifest of it names: `cargo run -p atom-conformance --example trim -- asana asana.json [/me=/users/{user-id}]`.
#![allow(clippy::print_stdout)] // a command-line tool speaks through it

use std::path::Path;

fn main() -> Result<(), String> {
    let args: Vec<String> = std::env::args().skip(1).collect();
    let [provider, file, aliases @ ..] = args.as_slice() else { return Err("trim PROVIDER FILE [SHORT=LONG…]".into()) };
    let aliases = aliases.iter().filter_map(|pair| pair.split_once('=')).map(|(short, long)| (short.to_owned(), long.to_owned()));
    let size = atom_conformance::trim(provider, Path::new(file), &aliases.collect())?;
    println!("{provider}: {size} bytes");
    Ok(())
}
