//! Whether the tests exist that SECURITY.md names.

use crate::{Result, shell};
use std::collections::HashSet;
use std::path::Path;

pub(super) fn check() -> Result<()> {
    let root = shell::root();
    let mut known = HashSet::new();
    for folder in ["atom-core/src", "atom-core/tests"] {
        collect(&root.join(folder), &mut known)?;
    }
    let text = std::fs::read_to_string(root.join("SECURITY.md"))?;
    let missing: Vec<_> = named(&text).filter(|name| !known.contains(*name)).collect();
    if missing.is_empty() {
        return Ok(());
    }
    Err(format!("SECURITY.md names tests that do not exist: {}", missing.join(", ")).into())
}

/// What stands in backticks in the last column of the rows.
fn named(text: &str) -> impl Iterator<Item = &str> {
    let rows = text.lines().filter(|line| line.starts_with('|') && line.matches(" | ").count() == 2);
    let cells = rows.filter_map(|row| row.rsplit_once(" | ")).map(|(_, cell)| cell);
    cells.flat_map(|cell| cell.split('`').skip(1).step_by(2))
}

/// The names of tests in a folder: functions, and what `on_both!` makes modules of.
fn collect(folder: &Path, known: &mut HashSet<String>) -> Result<()> {
    for entry in std::fs::read_dir(folder)? {
        let path = entry?.path();
        if path.is_dir() {
            collect(&path, known)?;
        } else if path.extension().is_some_and(|extension| extension == "rs") {
            known.extend(names(&std::fs::read_to_string(path)?));
        }
    }
    Ok(())
}

fn names(source: &str) -> Vec<String> {
    let word = |rest: &str| rest.chars().take_while(|c| c.is_ascii_alphanumeric() || *c == '_').collect::<String>();
    let after = |mark: &str| source.split(mark).skip(1).map(|rest| word(rest.trim_start())).collect::<Vec<_>>();
    [after("fn "), after("on_both!(")].concat()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn tests_are_found_by_name_and_in_the_last_column_only() {
        assert_eq!(
            names("on_both!(a_first, |d| …);\non_both!(\n    a_second, |d| …);\nasync fn a_third() {}"),
            ["a_third", "a_first", "a_second"]
        );
        let text = "| `no` | x | `a_first`, `a_second` |\n`neither`\n| two | `cells` |\n";
        assert_eq!(named(text).collect::<Vec<_>>(), ["a_first", "a_second"]);
    }
}
