//! How many tests passed, read from what the test programs of each language print.

#[derive(Debug, Default, PartialEq)]
pub(super) struct Count {
    pub(super) passed: usize,
    pub(super) failed: usize,
    pub(super) skipped: usize,
}

pub(super) type Reader = fn(&str) -> Count;

/// `test result: ok. 5 passed; 0 failed; 1 ignored; …`, once per test program.
pub(super) fn cargo(text: &str) -> Count {
    let mut count = Count::default();
    for line in text.lines().filter(|l| l.starts_with("test result:")) {
        count.passed += before(line, "passed");
        count.failed += before(line, "failed");
        count.skipped += before(line, "ignored");
    }
    count
}

/// `2 failed, 5 passed, 1 skipped in 0.31s`, at the end.
pub(super) fn pytest(text: &str) -> Count {
    let is_summary = |l: &&str| l.contains(" in ") && ["passed", "failed", "error", "skipped"].iter().any(|w| before(l, w) > 0);
    let line = text.lines().rev().find(is_summary).unwrap_or_default();
    let failed = before(line, "failed") + before(line, "error") + before(line, "errors");
    Count { passed: before(line, "passed"), failed, skipped: before(line, "skipped") }
}

/// `# pass 5`, `# fail 0`, `# skipped 1`, at the end.
pub(super) fn node(text: &str) -> Count {
    let after = |name: &str| {
        let line = text.lines().rev().find_map(|l| l.strip_prefix("# ")?.strip_prefix(name)?.trim().parse().ok());
        line.unwrap_or_default()
    };
    Count { passed: after("pass "), failed: after("fail ") + after("cancelled "), skipped: after("skipped ") + after("todo ") }
}

/// `Tests run: 5, Failures: 0, Errors: 0, Skipped: 1`, at the end; the same line per class has more behind it.
pub(super) fn maven(text: &str) -> Count {
    let line = text.lines().rev().find(|l| l.contains("Tests run:") && !l.contains("Time elapsed")).unwrap_or_default();
    let after = |name: &str| -> usize {
        let number = line.split_once(name).map(|(_, rest)| rest.trim_start());
        number.and_then(|n| n.split(|c: char| !c.is_ascii_digit()).next()?.parse().ok()).unwrap_or_default()
    };
    let (failed, skipped) = (after("Failures:") + after("Errors:"), after("Skipped:"));
    Count { passed: after("Tests run:").saturating_sub(failed + skipped), failed, skipped }
}

/// The lines that name a test that failed.
pub(super) fn failures(text: &str) -> impl Iterator<Item = &str> {
    let is_failure = |line: &&str| {
        let cargo = line.starts_with("test ") && line.ends_with("FAILED");
        cargo || ["FAILED ", "ERROR ", "not ok ", "[ERROR]   "].iter().any(|begin| line.starts_with(begin))
    };
    text.lines().map(str::trim_end).filter(is_failure)
}

/// For a program that is one test: its exit status says the rest.
pub(super) fn one(_: &str) -> Count {
    Count { passed: 1, ..Count::default() }
}

/// The number right before a word.
fn before(line: &str, word: &str) -> usize {
    let words: Vec<_> = line.split(|c: char| !c.is_alphanumeric() && c != '.').collect();
    let pair = words.windows(2).find(|pair| pair[1] == word);
    pair.and_then(|pair| pair[0].parse().ok()).unwrap_or_default()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_summaries_of_all_four_test_programs_are_understood() {
        let cargo_says =
            "test result: ok. 5 passed; 0 failed; 1 ignored; 0 measured\nx\ntest result: FAILED. 2 passed; 3 failed; 0 ignored";
        assert_eq!(cargo(cargo_says), Count { passed: 7, failed: 3, skipped: 1 });
        assert!(
            failures("test a::b ... ok\ntest a::c ... FAILED\nFAILED tests/x.py::y\nfailures:\n")
                .eq(["test a::c ... FAILED", "FAILED tests/x.py::y"])
        );
        assert_eq!(pytest("..\n2 failed, 5 passed, 1 skipped, 1 error in 0.31s\n"), Count { passed: 5, failed: 3, skipped: 1 });
        assert_eq!(pytest("===== 12 passed in 0.31s ====="), Count { passed: 12, failed: 0, skipped: 0 });
        assert_eq!(
            node("# tests 7\n# pass 5\n# fail 1\n# cancelled 0\n# skipped 1\n# todo 0"),
            Count { passed: 5, failed: 1, skipped: 1 }
        );
        let maven_says = "[INFO] Tests run: 9, Failures: 1, Errors: 1, Skipped: 2\n[INFO] Tests run: 4, Failures: 0, Errors: 0, Skipped: 0, Time elapsed: 1 s -- in A";
        assert_eq!(maven(maven_says), Count { passed: 5, failed: 2, skipped: 2 });
    }

    #[test]
    fn a_program_that_prints_no_summary_counts_as_no_test() {
        for reader in [cargo, pytest, node, maven] {
            assert_eq!(reader("Segmentation fault"), Count::default());
        }
    }
}
