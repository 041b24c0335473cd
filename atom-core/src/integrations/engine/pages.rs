//! Cursors: where a list goes on.
//!
//! What callers get is opaque, and good for the operation that gave it. Inside stands the vendor's cursor, a count or an address, which is
//! checked again like any other.

use super::call::Call;
use super::text::Vendor;
use crate::crypto::{base64url, from_base64url};
use crate::providers::{Operation, Pages, Step, Vars};
use crate::{Error, Result};
use reqwest::header::{HeaderMap, LINK};
use serde::{Deserialize, Serialize};
use serde_json::{Map, Value};
use url::Url;

/// A cursor, as it is inside.
#[derive(Serialize, Deserialize)]
struct Cursor {
    #[serde(rename = "o")]
    operation: String,
    #[serde(rename = "a")]
    at: At,
}

#[derive(PartialEq, Serialize, Deserialize)]
enum At {
    #[serde(rename = "c")]
    Cursor(Value),
    #[serde(rename = "n")]
    Count(i64),
    #[serde(rename = "u")]
    Url(String),
}

/// Where a call begins.
pub(super) enum Place {
    /// As the templates say, with these values.
    Vars(Vars),
    /// At an address that the vendor gave.
    Url(Url),
}

fn malformed() -> Error {
    let text = "this is not a cursor of this operation: pass back the `next_cursor` of the page before, or none";
    Error::invalid("malformed_cursor", text)
}

/// The name under which templates know where a list goes on.
fn variable(pages: &Pages) -> Option<&'static str> {
    match pages {
        Pages::Cursor { .. } | Pages::Last { .. } => Some("cursor"),
        Pages::Offset { .. } => Some("offset"),
        Pages::Page { .. } => Some("page"),
        Pages::Link {} | Pages::Url { .. } => None,
    }
}

/// Where a call of an operation begins, with a cursor or without.
pub(super) fn begin(operation: &Operation, cursor: Option<&Value>, name: &str) -> Result<Place> {
    let mut vars = Map::new();
    let Some(pages) = &operation.pages else {
        return if cursor.is_none() { Ok(Place::Vars(vars)) } else { Err(malformed()) };
    };
    let at = match cursor {
        Some(cursor) => Some(read(cursor, name)?),
        None => match pages {
            Pages::Offset { start, .. } | Pages::Page { start, .. } => Some(At::Count(*start)),
            _ => None,
        },
    };
    match (at, variable(pages)) {
        (None, _) => {}
        (Some(At::Url(url)), None) => return Url::parse(&url).map(Place::Url).map_err(|_| malformed()),
        (Some(At::Cursor(value)), Some("cursor")) => drop(vars.insert("cursor".into(), value)),
        (Some(At::Count(count)), Some(name)) if name != "cursor" => drop(vars.insert(name.into(), count.into())),
        _ => return Err(malformed()),
    }
    Ok(Place::Vars(vars))
}

fn read(cursor: &Value, name: &str) -> Result<At> {
    let bytes = cursor.as_str().and_then(from_base64url).ok_or_else(malformed)?;
    let cursor: Cursor = serde_json::from_slice(&bytes).map_err(|_| malformed())?;
    if cursor.operation == name { Ok(cursor.at) } else { Err(malformed()) }
}

impl Call<'_> {
    /// Where the next page begins; none after the last. `items` are those of this page, all of them.
    pub(super) fn next_cursor(&self, document: &Value, headers: &HeaderMap, items: &[Vendor]) -> Result<Option<String>> {
        let Some(pages) = &self.operation.pages else { return Ok(None) };
        let Some(at) = self.next(pages, document, headers, items) else { return Ok(None) };
        let was = match (&self.url, variable(pages).and_then(|name| self.vars.get(name))) {
            (Some(url), _) => Some(At::Url(url.to_string())),
            (None, Some(Value::Number(count))) if variable(pages) != Some("cursor") => count.as_i64().map(At::Count),
            (None, Some(value)) => Some(At::Cursor(value.clone())),
            (None, None) => None,
        };
        if was.as_ref() == Some(&at) {
            return Err(self.malformed("a page that is followed by itself"));
        }
        let cursor = Cursor { operation: self.name.to_owned(), at };
        let json =
            serde_json::to_vec(&cursor).map_err(|e| Error::internal("cursor", "a cursor cannot be serialized").with_source(e))?;
        Ok(Some(base64url(json)))
    }

    fn next(&self, pages: &Pages, document: &Value, headers: &HeaderMap, items: &[Vendor]) -> Option<At> {
        let (Pages::Cursor { more, .. }
        | Pages::Url { more, .. }
        | Pages::Offset { more, .. }
        | Pages::Page { more, .. }
        | Pages::Last { more, .. }) = pages
        else {
            let here = self.url.clone().or_else(|| self.address().ok());
            return next_link(headers, here.as_ref()).map(At::Url);
        };
        if more.as_ref().is_some_and(|more| !more.holds(document)) {
            return None;
        }
        // Without a word of the vendor's, a page that is not full is the last one.
        let is_full = match self.asked_size() {
            Some(size) => i64::try_from(items.len()).is_ok_and(|count| count >= size),
            None => !items.is_empty(),
        };
        let count = |name: &str| self.vars.get(name).and_then(Value::as_i64);
        let number = |value: Option<&Value>| value.and_then(|value| value.as_i64().or_else(|| value.as_str()?.parse().ok()));
        match pages {
            Pages::Cursor { next, .. } => {
                let next = next.get(document).filter(|next| next.is_string() || next.is_number())?;
                (next.as_str() != Some("")).then(|| At::Cursor(next.clone()))
            }
            Pages::Url { next, .. } => {
                let next = next.text(document).filter(|next| !next.is_empty())?;
                // Some give the path only.
                let here = self.url.clone().or_else(|| self.address().ok())?;
                here.join(&next).ok().map(|next| At::Url(next.into()))
            }
            Pages::Offset { step, total, .. } => {
                let here = count("offset")?;
                let by = match step {
                    Step::Items => i64::try_from(items.len()).ok()?,
                    Step::PageSize => self.asked_size().unwrap_or(i64::try_from(items.len()).ok()?),
                };
                let next = here.checked_add(by)?;
                let goes_on = match number(total.as_ref().and_then(|path| path.get(document))) {
                    Some(total) => next < total,
                    None => more.is_some() || is_full,
                };
                (goes_on && !items.is_empty()).then_some(At::Count(next))
            }
            Pages::Page { start, pages, .. } => {
                let here = count("page")?;
                let goes_on = match number(pages.as_ref().and_then(|path| path.get(document))) {
                    Some(pages) => here.saturating_sub(*start).saturating_add(1) < pages,
                    None => more.is_some() || is_full,
                };
                here.checked_add(1).filter(|_| goes_on).map(At::Count)
            }
            Pages::Last { key, .. } => {
                let last = key.get(&self.value(items.last()?).ok()?)?.clone();
                (more.is_some() || is_full).then_some(At::Cursor(last))
            }
            Pages::Link {} => None,
        }
    }
}

/// The target of `rel="next"` (RFC 8288 §3), which may be relative to where the request went.
fn next_link(headers: &HeaderMap, here: Option<&Url>) -> Option<String> {
    let links = headers.get_all(LINK).iter().filter_map(|value| value.to_str().ok());
    for link in links.flat_map(split_links) {
        let Some((target, params)) = link.trim().strip_prefix('<').and_then(|rest| rest.split_once('>')) else { continue };
        let is_next = params.split(';').filter_map(|param| param.trim().split_once('=')).any(|(name, value)| {
            name.trim().eq_ignore_ascii_case("rel")
                && value.trim().trim_matches('"').split_ascii_whitespace().any(|rel| rel.eq_ignore_ascii_case("next"))
        });
        if is_next {
            return match (Url::parse(target), here) {
                (Ok(_), _) => Some(target.to_owned()),
                (Err(_), Some(here)) => here.join(target).ok().map(String::from),
                (Err(_), None) => None,
            };
        }
    }
    None
}

/// Commas inside of `<…>` belong to the address.
fn split_links(text: &str) -> Vec<&str> {
    let (mut inside, mut from, mut links) = (false, 0, Vec::new());
    for (at, c) in text.char_indices() {
        match c {
            '<' => inside = true,
            '>' => inside = false,
            ',' if !inside => {
                links.push(&text[from..at]);
                from = at + 1;
            }
            _ => {}
        }
    }
    links.push(&text[from..]);
    links
}

#[cfg(test)]
mod tests {
    use super::*;
    use reqwest::header::HeaderValue;

    #[test]
    fn the_next_link_is_found_among_others_and_commas_in_it_stay() {
        let next = |text: &str| next_link(&HeaderMap::from_iter([(LINK, HeaderValue::from_str(text).expect("ASCII"))]), None);
        let first = r#"<https://x.example/a?ids=1,2>; rel="prev", <https://x.example/b?ids=3,4>; rel="next last""#;
        assert_eq!(next(first).as_deref(), Some("https://x.example/b?ids=3,4"));
        assert_eq!(next("<https://x.example/b>; rel=next").as_deref(), Some("https://x.example/b"));
        for none in
            [r#"<https://x.example/a>; rel="prev""#, "", "nonsense", "<unended; rel=next", r#"<https://x>; rel="nextish""#]
        {
            assert_eq!(next(none), None, "{none}");
        }
    }

    #[test]
    fn a_cursor_is_good_for_its_own_operation_only() {
        let cursor = Cursor { operation: "files.list".into(), at: At::Count(3) };
        let text = Value::from(base64url(serde_json::to_vec(&cursor).expect("JSON")));
        assert!(matches!(read(&text, "files.list"), Ok(At::Count(3))));
        for (wrong, name) in [(&text, "tasks.list"), (&Value::from("page-2"), "files.list"), (&Value::from(3), "files.list")] {
            assert_eq!(read(wrong, name).err().expect("refused").reason(), "malformed_cursor");
        }
    }
}
