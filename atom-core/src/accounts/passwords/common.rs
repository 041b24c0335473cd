//! Passwords that everybody tries first: the most used ones, what the account and the application suggest, and what only looks long.

use crate::config::OpenOptions;
use unicode_normalization::UnicodeNormalization;
use url::Url;

/// The most used passwords of at least 8 characters, one a line, in small letters. Their source and its licence stand beside the file.
const COMMON: &str = include_str!("common.txt");
/// What is shorter than any password may be, and only repeated, is no password either.
const SHORTEST: usize = 8;

/// Words that are no passwords for somebody, in small letters.
#[derive(Clone, Default)]
pub(super) struct Words(Vec<String>);

impl Words {
    /// The name of the application, and the host of its address.
    pub(super) fn of_application(options: &OpenOptions) -> Self {
        let url = options.app_url.as_deref().and_then(|url| Url::parse(url).ok());
        let host = url.as_ref().and_then(Url::host_str);
        Self([options.app_name.as_deref(), host].into_iter().flatten().map(plain).collect())
    }

    /// These, and those of an account: its e-mail address, and the part of it before the `@`.
    pub(super) fn and_of_account(&self, email: &str) -> Self {
        let email = plain(email);
        let name = email.rsplit_once('@').map(|(name, _)| name.to_owned());
        Self(self.0.iter().cloned().chain(name).chain([email]).collect())
    }

    fn has(&self, text: &str) -> bool {
        self.0.iter().any(|word| word == text)
    }
}

/// Whether a password is one that everybody tries, itself or as what it repeats.
pub(super) fn is_common(password: &str, words: &Words) -> bool {
    let password = plain(password);
    let is_listed = |text: &str| words.has(text) || COMMON.lines().any(|line| line == text);
    if is_listed(&password) || is_row(&password) {
        return true;
    }
    repeated(&password).is_some_and(|unit| unit.chars().count() < SHORTEST || is_listed(unit))
}

/// Letter case and form do not make a common password another one.
fn plain(text: &str) -> String {
    text.trim().nfkc().flat_map(char::to_lowercase).collect()
}

/// Whether each character follows on the one before, or comes before it: `123456789012`, `abcdefgh`, `hgfedcba`.
fn is_row(text: &str) -> bool {
    let codes: Vec<u32> = text.chars().map(u32::from).collect();
    let follows = |a: u32, b: u32| b == a + 1 || (a, b) == (u32::from('9'), u32::from('0'));
    codes.windows(2).all(|pair| follows(pair[0], pair[1])) || codes.windows(2).all(|pair| follows(pair[1], pair[0]))
}

/// What a text repeats, at least twice and maybe a part of it once more, without what only separates: `acme` of `acme-acme-ac`.
fn repeated(text: &str) -> Option<&str> {
    let chars: Vec<char> = text.chars().collect();
    let repeats = |length: &usize| chars.iter().zip(&chars[*length..]).all(|(a, b)| a == b);
    // Rounded up: what separates two is not there after the second.
    let length = (1..=chars.len().div_ceil(2)).find(repeats)?;
    let end = text.char_indices().nth(length).map_or(text.len(), |(end, _)| end);
    Some(text[..end].trim_matches(|c: char| !c.is_alphanumeric()))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn words() -> Words {
        let options = OpenOptions {
            app_name: Some("Acme Engines".into()),
            app_url: Some("https://app.acme.example/".into()),
            ..Default::default()
        };
        Words::of_application(&options).and_of_account("Ada.Lovelace@example.com")
    }

    #[test]
    fn the_list_is_what_it_says() {
        let lines: Vec<_> = COMMON.lines().collect();
        assert!(lines.len() > 3000, "{}", lines.len());
        assert!(lines.iter().all(|line| line.chars().count() >= SHORTEST && *line == plain(line)));
        let distinct: std::collections::HashSet<_> = lines.iter().collect();
        assert_eq!(distinct.len(), lines.len());
    }

    #[test]
    fn p02_what_everybody_tries_is_common() {
        for password in [
            "password",
            "PassWord",
            "1qaz2wsx3edc4rfv",
            "qwertyuiop",
            "passwordpassword",
            "Password-Password-Password",
            "aaaaaaaaaaaaaaaa",
            "abcabcabcabcabcab",
            "dragon dragon dragon",
            "1234567890123456",
            "9876543210987654",
            "abcdefghijklmnop",
            "ponmlkjihgfedcba",
            "            ",
            "ada.lovelace",
            "ADA.LOVELACE@example.com",
            "Ada.Lovelace Ada.Lovelace",
            "acme engines",
            "Acme Engines Acme Engines",
            "app.acme.example",
            "\u{ff50}assword",
        ] {
            assert!(is_common(password, &words()), "{password}");
        }
    }

    #[test]
    fn p02_there_are_no_rules_of_composition() {
        for password in [
            "an engine of brass and thought",
            "correct horse battery staple",
            "ada.lovelace's engine",
            "acme engines of brass",
            "\u{17d}lu\u{165}ou\u{10d}k\u{fd} k\u{16f}\u{148}",
            "kq7xw2mzv0pt",
            "kq7xw2mz kq7xw2mz",
        ] {
            assert!(!is_common(password, &words()), "{password}");
        }
    }
}
