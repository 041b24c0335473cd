//! The hosts that requests of a provider may go to, and the URLs that are filled with facts about an account.

use super::template::{Template, Vars};
use serde::Deserialize;
use serde::de::{Deserializer, Error as _};
use std::collections::HashMap;
use url::Url;

/// What is known about an account beside its credential: what a person said before connecting, and what the vendor told.
pub(crate) type Facts = HashMap<String, String>;

/// A host, exactly; with `*.`, any below it; with `{name}`, the one that a fact of the account names by one label.
#[derive(Clone, Debug)]
pub(crate) struct Host {
    text: String,
    template: Option<Template>,
}

impl Host {
    /// Whether a URL's host is this one, for an account with these facts.
    pub(crate) fn fits(&self, host: &str, facts: &Facts) -> bool {
        if let Some(template) = &self.template {
            let is_label =
                |label: &str| !label.is_empty() && label.chars().all(|c| c.is_ascii_alphanumeric() || "-_".contains(c));
            let labels = template.names().all(|name| facts.get(name).is_some_and(|label| is_label(label)));
            let filled = template.render(&vars(facts), str::to_owned);
            return labels && filled.is_some_and(|filled| filled.eq_ignore_ascii_case(host));
        }
        match self.text.strip_prefix("*.") {
            Some(parent) => host.strip_suffix(parent).is_some_and(|below| below.len() > 1 && below.ends_with('.')),
            None => self.text == host,
        }
    }

    /// The host as it is written.
    pub(crate) fn text(&self) -> &str {
        &self.text
    }

    /// Whether it is known without any fact.
    pub(crate) fn is_fixed(&self) -> bool {
        self.template.is_none()
    }

    /// The facts that it needs.
    pub(crate) fn names(&self) -> impl Iterator<Item = &str> {
        self.template.iter().flat_map(Template::names)
    }

    /// Whether a host with placeholders could be this one.
    fn could_be(&self, host: &str) -> bool {
        if self.text == host {
            return true;
        }
        let (begin, end) = match (host.find('{'), host.rfind('}')) {
            (Some(from), Some(to)) => (&host[..from], &host[to + 1..]),
            _ => return self.fits(host, &Facts::new()),
        };
        self.text.starts_with(begin) && self.text.ends_with(end)
            || self.text.strip_prefix('*').is_some_and(|end| host.ends_with(end))
    }
}

impl<'de> Deserialize<'de> for Host {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let text = String::deserialize(deserializer)?;
        let malformed = || {
            D::Error::custom(format!("`{text}` is no host: write `api.example.com`, `*.example.com` or `{{shop}}.example.com`"))
        };
        let plain = text.strip_prefix("*.").unwrap_or(&text);
        let has_dots = plain.split('.').count() > 1;
        if plain.is_empty() || plain.contains(['*', '/', '@', ' ']) || (plain.len() < text.len() && !has_dots) {
            return Err(malformed());
        }
        let template = if plain.contains('{') { Some(Template::parse(plain).map_err(D::Error::custom)?) } else { None };
        // The end of a host is never an account's to choose.
        if plain.len() < text.len() && template.is_some() || plain.ends_with('}') {
            return Err(malformed());
        }
        Ok(Self { text, template })
    }
}

/// A URL with placeholders for facts: `https://{shop}.myshopify.com/admin`, or `{instance_url}/services`, where the fact is an origin.
#[derive(Clone, Debug)]
pub(crate) struct UrlTemplate {
    text: String,
    template: Template,
    fixed: Option<Url>,
}

impl UrlTemplate {
    pub(crate) fn parse(text: &str) -> Result<Self, String> {
        let template = Template::parse(text)?;
        let fixed = match template.names().next() {
            None => Some(Url::parse(text).map_err(|e| format!("`{text}` is no URL: {e}"))?),
            Some(_) => None,
        };
        if fixed.is_none() && !text.starts_with('{') && !text.starts_with("https://") && !text.starts_with("http://") {
            return Err(format!("`{text}` is no URL: write https://…, or begin with a fact that is an origin"));
        }
        Ok(Self { text: text.to_owned(), template, fixed })
    }

    /// Its names.
    pub(crate) fn names(&self) -> impl Iterator<Item = &str> {
        self.template.names()
    }

    /// The URL for an account with these facts; the name of the one that is missing or does not fit there otherwise.
    pub(crate) fn fill(&self, facts: &Facts) -> Result<Url, String> {
        self.fill_with(&vars(facts))
    }

    /// The same with values of other kinds, such as the fields of a credential.
    pub(crate) fn fill_with(&self, values: &Vars) -> Result<Url, String> {
        if let Some(url) = &self.fixed {
            return Ok(url.clone());
        }
        let authority_ends = self.text.find("://").map_or(0, |at| {
            let from = at + 3;
            self.text[from..].find(['/', '?']).map_or(self.text.len(), |end| from + end)
        });
        for (name, at) in self.template.places() {
            let value = values.get(name).and_then(serde_json::Value::as_str).filter(|value| !value.is_empty());
            let fits = value.is_some_and(|value| match at {
                // `{instance_url}/…`
                0 => is_origin(value),
                at if at < authority_ends => value.chars().all(|c| c.is_ascii_alphanumeric() || "-_.".contains(c)),
                _ => !matches!(value, "." | ".."),
            });
            if !fits {
                return Err(name.to_owned());
            }
        }
        let encode = |value: &str| url::form_urlencoded::byte_serialize(value.as_bytes()).collect::<String>().replace('+', "%20");
        let is_whole = self.text.starts_with('{');
        let filled = self.template.render_each(values, |at, value| {
            if at == 0 && is_whole { value.trim_end_matches('/').to_owned() } else { encode(value) }
        });
        filled.and_then(|text| Url::parse(&text).ok()).ok_or_else(|| "url".to_owned())
    }

    /// Refuses a URL that could lead to a host that is not listed, as far as can be told before an account is known.
    pub(crate) fn check(&self, hosts: &[Host], is_loopback: impl Fn(&Url) -> bool) -> Result<(), String> {
        if let Some(url) = &self.fixed {
            // A provider on loopback is one that runs beside the host: a test, a self-hosted service.
            if url.scheme() != "https" && !(url.scheme() == "http" && is_loopback(url)) {
                return Err("use https".into());
            }
            let host = url.host_str().unwrap_or_default();
            let known = hosts.iter().any(|known| known.fits(host, &Facts::new()));
            return if known { Ok(()) } else { Err("its host is not in `hosts`".into()) };
        }
        if self.text.starts_with('{') {
            return Ok(());
        }
        let host = self.text.split("://").nth(1).and_then(|rest| rest.split(['/', '?', ':']).next()).unwrap_or_default();
        match (self.text.starts_with("https://"), hosts.iter().any(|known| known.could_be(host))) {
            // On loopback the account stands in the path.
            (false, _) if !matches!(host, "127.0.0.1" | "localhost") => Err("use https".into()),
            (_, false) => Err("its host is not in `hosts`".into()),
            _ => Ok(()),
        }
    }
}

/// A scheme, a host, perhaps a port, and nothing else.
fn is_origin(text: &str) -> bool {
    Url::parse(text).is_ok_and(|url| {
        let is_bare = matches!(url.path(), "" | "/") && url.query().is_none() && url.fragment().is_none();
        is_bare && url.host_str().is_some() && url.username().is_empty() && url.password().is_none()
    })
}

fn vars(facts: &Facts) -> Vars {
    facts.iter().map(|(name, value)| (name.clone(), value.as_str().into())).collect()
}

impl std::fmt::Display for UrlTemplate {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str(&self.text)
    }
}

impl<'de> Deserialize<'de> for UrlTemplate {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        Self::parse(&String::deserialize(deserializer)?).map_err(D::Error::custom)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    fn host(text: &str) -> Host {
        serde_json::from_value(json!(text)).expect(text)
    }

    fn facts(pairs: &[(&str, &str)]) -> Facts {
        pairs.iter().map(|(name, value)| ((*name).to_owned(), (*value).to_owned())).collect()
    }

    #[test]
    fn a_host_is_exact_or_below_a_parent_or_named_by_one_label() {
        let shop = facts(&[("shop", "ada")]);
        assert!(host("api.example.com").fits("api.example.com", &shop));
        assert!(host("*.example.com").fits("a.b.example.com", &shop));
        assert!(host("{shop}.example.com").fits("ada.example.com", &shop));
        for (known, other) in [
            ("api.example.com", "example.com"),
            ("*.example.com", "example.com"),
            ("*.example.com", ".example.com"),
            ("*.example.com", "evilexample.com"),
            ("*.example.com", "example.com.evil.net"),
            ("{shop}.example.com", "bob.example.com"),
            ("{shop}.example.com", "ada.example.com.evil.net"),
        ] {
            assert!(!host(known).fits(other, &shop), "{known} is not {other}");
        }
        for label in ["a.b", "", "evil.net/", "x@y", "a:b"] {
            assert!(!host("{shop}.example.com").fits(&format!("{label}.example.com"), &facts(&[("shop", label)])), "{label}");
        }
    }

    #[test]
    fn what_could_be_any_host_is_no_host() {
        for text in ["*", "*.com/", "", "*.", "*.{a}.com", "{a}", "a.{b}", "a/b", "*.com"] {
            let parsed = serde_json::from_value::<Host>(json!(text));
            assert!(parsed.is_err(), "{text}");
        }
    }

    #[test]
    fn a_url_is_filled_with_labels_origins_and_encoded_pieces() {
        let fill =
            |text: &str, pairs: &[(&str, &str)]| UrlTemplate::parse(text).expect(text).fill(&facts(pairs)).map(String::from);
        assert_eq!(
            fill("https://{a}.x.com/p/{b}", &[("a", "ada"), ("b", "c d/e")]).as_deref(),
            Ok("https://ada.x.com/p/c%20d%2Fe")
        );
        assert_eq!(fill("{origin}/v1", &[("origin", "https://x.com/")]).as_deref(), Ok("https://x.com/v1"));
        for (text, value) in [
            ("https://{a}.x.com/", "evil.net/"),
            ("https://{a}.x.com/", "evil.net#"),
            ("https://{a}.x.com/", "u:p@evil.net"),
            ("https://{a}.x.com/", ""),
            ("https://x.com/{a}/b", ".."),
            ("{a}/v1", "x.com"),
            ("{a}/v1", "https://x.com/path"),
            ("{a}/v1", "https://u@x.com"),
        ] {
            assert_eq!(fill(text, &[("a", value)]), Err("a".into()), "{text} with {value}");
        }
    }
}
