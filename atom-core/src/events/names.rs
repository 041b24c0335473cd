//! The names of events, and the patterns that choose among them.

use crate::{Error, Result};

/// The longest name, in characters.
const LONGEST: usize = 100;
/// The most patterns of one reader.
const MOST: usize = 100;

/// The first words that Atom keeps for its own events, those of today and those to come.
#[rustfmt::skip]
pub(super) const RESERVED: &[&str] = &[
    "agent", "atom", "batch", "connection", "emergency", "event", "identity", "invitation", "job", "mail", "member",
    "provider", "queue", "schedule", "secret", "secret_lease", "secret_policy", "service_key", "session",
    "user", "webhook", "workflow", "workspace",
];

/// Whether this is two words or more, of small letters, digits and `_`, joined by dots, and begins with a letter.
pub(super) fn is_name(text: &str) -> bool {
    let is_word =
        |word: &str| !word.is_empty() && word.bytes().all(|b| b.is_ascii_lowercase() || b.is_ascii_digit() || b == b'_');
    text.len() <= LONGEST
        && text.contains('.')
        && text.starts_with(|c: char| c.is_ascii_lowercase())
        && text.split('.').all(is_word)
}

pub(super) fn first_word(name: &str) -> &str {
    name.split('.').next().unwrap_or_default()
}

/// The names that a reader wants: `connection.connected`, or `connection.*` for all that begin so.
#[derive(Clone)]
pub(crate) struct Names(Option<Vec<String>>);

impl Names {
    /// Fails with `invalid` (`malformed_event_name`). None is every name.
    pub(crate) fn parse(patterns: Option<Vec<String>>) -> Result<Self> {
        if let Some(patterns) = &patterns {
            let is_pattern = |text: &String| match text.strip_suffix(".*") {
                // A word is less than a name, and one more word makes it one.
                Some(begin) => is_name(&format!("{begin}.x")),
                None => is_name(text),
            };
            if patterns.is_empty() || patterns.len() > MOST || !patterns.iter().all(is_pattern) {
                let text = "names are 1 to 100 names of events, such as `order.paid`, or beginnings, such as `order.*`";
                return Err(Error::invalid("malformed_event_name", text));
            }
        }
        Ok(Self(patterns))
    }

    /// Every name.
    pub(super) fn all() -> Self {
        Self(None)
    }

    pub(crate) fn fit(&self, name: &str) -> bool {
        let fits = |pattern: &String| match pattern.strip_suffix('*') {
            Some(begin) => name.starts_with(begin),
            None => name == pattern,
        };
        self.0.as_ref().is_none_or(|patterns| patterns.iter().any(fits))
    }

    /// For `GLOB`, in which nothing else that a pattern can hold is special: a list in JSON.
    pub(super) fn globs(&self) -> Option<String> {
        self.0.as_ref().map(|patterns| serde_json::json!(patterns).to_string())
    }

    /// For `LIKE`.
    pub(super) fn likes(&self) -> Option<Vec<String>> {
        let like = |pattern: &String| pattern.replace('_', "\\_").replace('*', "%");
        self.0.as_ref().map(|patterns| patterns.iter().map(like).collect())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_are_words_joined_by_dots() {
        for fine in ["order.paid", "a.b", "a1_.2.c_d"] {
            assert!(is_name(fine), "{fine}");
        }
        let long = format!("a.{}", "b".repeat(99));
        for wrong in ["", "order", "order.", ".paid", "order..paid", "Order.paid", "1.a", "_a.b", "a b.c", "ä.b", "a.*", &long] {
            assert!(!is_name(wrong), "{wrong}");
        }
    }

    #[test]
    fn a_pattern_fits_its_name_or_all_that_begin_with_it() {
        let names = |pattern: &str| Names::parse(Some(vec![pattern.to_owned()])).expect("a pattern");
        assert!(names("order.paid").fit("order.paid") && !names("order.paid").fit("order.paid_back"));
        assert!(names("order.*").fit("order.paid") && names("order.*").fit("order.line.added"));
        assert!(!names("order.*").fit("orders.paid") && !names("order.line.*").fit("order.paid"));
        assert!(Names::parse(None).expect("all").fit("order.paid"));
        for wrong in ["*", "order*", "order.p*", ".*", "order", "*.paid"] {
            assert_eq!(Names::parse(Some(vec![wrong.to_owned()])).err().expect(wrong).reason(), "malformed_event_name");
        }
        assert!(Names::parse(Some(vec![])).is_err());
    }
}
