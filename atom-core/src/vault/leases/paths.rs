//! The paths that a lease is for.
//!
//! A path is compared as it is sent, and once more as a service might read it: with every percent sign decoded. Both must begin with the prefix, and nothing
//! may climb out of it.

use crate::{Error, Result};
use percent_encoding::percent_decode_str;
use url::Url;

const LONGEST: usize = 200;
/// How often something may be encoded over and over.
const ROUNDS: usize = 4;

/// A prefix in its one form.
///
/// Fails with `invalid` (`malformed_path_prefix`).
pub(super) fn checked(text: &str) -> Result<String> {
    let malformed = || {
        let text =
            "a prefix is the beginning of a path, such as `/drive/v3/files`: 1 to 200 bytes, without `?`, `#`, `.` and `..`";
        Error::invalid("malformed_path_prefix", text)
    };
    let is_path = text.starts_with('/') && text.len() <= LONGEST && !text.contains(['?', '#', '\\']) && !climbs(text);
    let mut url = Url::parse("https://host.invalid").map_err(|_| malformed())?;
    url.set_path(text);
    if is_path { Ok(url.path().to_owned()) } else { Err(malformed()) }
}

/// Whether a call goes to a path that begins with one of the prefixes. `text` is the URL as it was given, `url` as it was read.
pub(super) fn fit(prefixes: &[String], text: &str, url: &Url) -> bool {
    let Some(read) = decoded(url.path()) else { return prefixes.is_empty() };
    let begins = |prefix: &String| {
        let other = decoded(prefix);
        begins_with(url.path(), prefix) && other.is_some_and(|prefix| begins_with(&read, &prefix))
    };
    prefixes.is_empty() || (!climbs(text) && prefixes.iter().any(begins))
}

/// Whole segments only: `/files` is no beginning of `/filesystem`.
fn begins_with(path: &str, prefix: &str) -> bool {
    path.strip_prefix(prefix).is_some_and(|rest| prefix.ends_with('/') || rest.is_empty() || rest.starts_with('/'))
}

/// Whether somebody on the way could read a `.` or `..` in a path or a URL.
fn climbs(text: &str) -> bool {
    let path = text.split(['?', '#']).next().unwrap_or_default();
    let Some(path) = decoded(path) else { return true };
    // What follows a semicolon belongs to the segment for some servers.
    let is_dots = |segment: &str| matches!(segment.split(';').next().unwrap_or_default().trim(), "." | "..");
    path.contains(char::is_control) || path.split(['/', '\\']).any(is_dots)
}

/// Text with every percent sign decoded, as often as it takes; none if there is no end to it.
fn decoded(text: &str) -> Option<String> {
    let mut text = text.to_owned();
    for _ in 0..ROUNDS {
        let next = percent_decode_str(&text).decode_utf8_lossy().into_owned();
        if next == text {
            return Some(text);
        }
        text = next;
    }
    None
}

#[cfg(test)]
mod tests {
    use super::*;

    fn goes(prefix: &str, path: &str) -> bool {
        let text = format!("https://api.example.com{path}");
        let url = Url::parse(&text).expect("a URL");
        fit(&[checked(prefix).expect("a prefix")], &text, &url)
    }

    #[test]
    fn a_prefix_is_for_itself_and_what_is_below() {
        for path in [
            "/v1/files",
            "/v1/files/",
            "/v1/files/7",
            "/v1/files?q=../x",
            "/v1/files/a%20b",
            "/v1/files/..a/b..",
            "/v1/files/a.b",
        ] {
            assert!(goes("/v1/files", path), "{path}");
        }
        for path in ["/", "/v1", "/v1/", "/v1/filesystem", "/v1/Files", "//v1/files", "/v1//files", "/v2/v1/files", "/v1/files;x"]
        {
            assert!(!goes("/v1/files", path), "{path}");
        }
        assert!(goes("/v1/files/", "/v1/files/7") && !goes("/v1/files/", "/v1/files"));
        assert!(goes("/", "/anything/at/all"));
        assert!(goes("/a b", "/a%20b/c"));
    }

    #[test]
    fn nothing_climbs_out_in_any_notation() {
        for path in [
            "/v1/files/../admin",
            "/v1/files/./7",
            "/v1/files/..",
            "/v1/x/../files/7",
            "/v1/files/%2e%2e/admin",
            "/v1/files/%2E./admin",
            "/v1/files/..%2fadmin",
            "/v1/files%2f..%2fadmin",
            "/v1/files/%252e%252e/admin",
            "/v1/files/%25252e%25252e%25252fadmin",
            "/v1/files/%2525252525252e%2525252525252e/admin",
            "/v1/files/..\\admin",
            "/v1/files/..%5cadmin",
            "/v1/files/..;/admin",
            "/v1/files/..;a=b/admin",
            "/v1/files/.\t./admin",
            "/v1/files/..%00/admin",
            "/v1/files/%20../admin",
            "/v1/files/..%20/admin",
        ] {
            assert!(!goes("/v1/files", path), "{path}");
        }
    }

    #[test]
    fn a_lease_without_prefixes_is_for_all_paths() {
        let text = "https://api.example.com/a/../b/%2e";
        assert!(fit(&[], text, &Url::parse(text).expect("a URL")));
    }

    #[test]
    fn what_is_no_beginning_of_a_path_is_refused() {
        let long = format!("/{}", "x".repeat(200));
        for wrong in ["", "v1", "https://a/b", "/a?b", "/a#b", "/a/..", "/./a", "/a/%2e%2E", "\\a", "/a\\b", "/a\nb", &long] {
            assert_eq!(checked(wrong).expect_err(wrong).reason(), "malformed_path_prefix");
        }
    }
}
