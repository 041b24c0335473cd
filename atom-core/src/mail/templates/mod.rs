//! The texts of mails: Atom's own, in English, and those that the host brings.
//!
//! They are rendered when a mail is queued. What could be wrong with a template is found when the installation is opened: it is parsed, its
//! variables are compared with those that its kind has, and it is rendered with samples.

mod contents;

pub(crate) use contents::*;

use super::{MailKind, MailPreview, MailTemplate, address};
use crate::{Error, Result};
use minijinja::{Environment, UndefinedBehavior};
use serde_json::{Map, Value};
use std::collections::{BTreeSet, HashMap};

/// The language of the texts that are always there.
const FALLBACK: &str = "en";
/// The longest template, in bytes.
const LARGEST: usize = 256 * 1024;

macro_rules! english {
    ($($kind:ident $file:literal),+ $(,)?) => {
        [$((MailKind::$kind, include_str!(concat!("en/", $file, ".txt")), include_str!(concat!("en/", $file, ".html")))),+]
    };
}

/// Atom's own texts: the subject in the first line, then the plain text; and the text in HTML.
const ENGLISH: [(MailKind, &str, &str); 12] = english![
    VerifyEmail "verify_email",
    ResetPassword "reset_password",
    SignInCode "sign_in_code",
    MagicLink "magic_link",
    Invite "invite",
    NewDevice "new_device",
    PasswordChanged "password_changed",
    EmailChanged "email_changed",
    EmailChangeRequested "email_change_requested",
    AccountExists "account_exists",
    FactorChanged "factor_changed",
    IdentityChanged "identity_changed",
];

/// What templates may take up.
const SHARED: [(&str, &str); 2] = [("layout.html", include_str!("layout.html")), ("en/time", include_str!("en/time.txt"))];

/// How the application introduces itself.
pub(super) struct App {
    pub(super) name: String,
    /// Without a slash at its end.
    pub(super) url: String,
}

/// The texts of an installation.
pub(super) struct Templates {
    environment: Environment<'static>,
    /// Which texts there are, and whether they have a part in HTML.
    known: HashMap<(MailKind, String), bool>,
}

impl Templates {
    /// Atom's texts, and above them those of the host.
    pub(super) fn new(own: Vec<MailTemplate>, app: &App) -> Result<Self> {
        let mut environment = Environment::new();
        environment.set_undefined_behavior(UndefinedBehavior::SemiStrict);
        let mut templates = Self { environment, known: HashMap::new() };
        for (name, source) in SHARED {
            templates.environment.add_template(name, source).map_err(|e| broken(name, &e))?;
        }
        for (kind, text, html) in ENGLISH {
            let (head, text) = text.split_once("\n\n").unwrap_or_default();
            let subject = head.strip_prefix("Subject: ").unwrap_or_default();
            templates.add(kind, FALLBACK, [subject, text], Some(html))?;
        }
        let mut given = BTreeSet::new();
        for template in own {
            let MailTemplate { kind, locale, subject, text, html } = template;
            let Some(locale) = normalized(&locale) else {
                return Err(malformed(kind, &locale, "its locale is no language tag such as `de` or `pt-BR`"));
            };
            if !given.insert((kind.as_str(), locale.clone())) {
                return Err(malformed(kind, &locale, "it is given twice"));
            }
            templates.add(kind, &locale, [&subject, &text], html.as_deref())?;
            templates.try_out(kind, &locale, app)?;
        }
        Ok(templates)
    }

    fn add(&mut self, kind: MailKind, locale: &str, [subject, text]: [&str; 2], html: Option<&str>) -> Result<()> {
        let parts = [("subject", Some(subject)), ("txt", Some(text)), ("html", html)];
        for (part, source) in parts.into_iter().filter_map(|(part, source)| Some((part, source?))) {
            if source.len() > LARGEST {
                return Err(malformed(kind, locale, "it has more than 256 KiB"));
            }
            let name = name(kind, locale, part);
            self.environment.add_template_owned(name.clone(), source.to_owned()).map_err(|e| broken(&name, &e))?;
        }
        self.known.insert((kind, locale.to_owned()), html.is_some());
        Ok(())
    }

    /// Refuses a text that would fail when it is needed.
    fn try_out(&self, kind: MailKind, locale: &str, app: &App) -> Result<()> {
        for (sample, recipient) in Template::samples(kind).into_iter().zip([Some("Ada"), None]) {
            let mut known: BTreeSet<String> = sample.variables(&app.url).into_iter().map(|(name, _)| name).collect();
            known.extend(["app_name", "app_url", "locale", "subject", "name", "range", "dict", "namespace"].map(str::to_owned));
            for part in ["subject", "txt", "html"] {
                let name = name(kind, locale, part);
                let Ok(template) = self.environment.get_template(&name) else { continue };
                // Those of a branch that no sample takes, too.
                if let Some(unknown) = template.undeclared_variables(false).into_iter().find(|name| !known.contains(name)) {
                    let why = format!("its {part} names `{unknown}`, which such a mail does not have");
                    return Err(malformed(kind, locale, &why));
                }
            }
            let preview = self.write(&sample, locale, recipient, app)?;
            if preview.subject.is_empty() || preview.text.is_empty() {
                return Err(malformed(kind, locale, "its subject or its text comes out empty"));
            }
        }
        Ok(())
    }

    /// A mail in the language that comes nearest to the one asked for.
    pub(super) fn render(
        &self,
        template: &Template,
        locale: Option<&str>,
        recipient: Option<&str>,
        app: &App,
    ) -> Result<MailPreview> {
        self.write(template, &self.nearest(template.kind(), locale), recipient, app)
    }

    /// `de-AT`, else `de`, else English: whatever somebody's browser says, there is a text.
    fn nearest(&self, kind: MailKind, locale: Option<&str>) -> String {
        let mut wanted = locale.and_then(normalized);
        while let Some(locale) = wanted {
            if self.known.contains_key(&(kind, locale.clone())) {
                return locale;
            }
            wanted = locale.rsplit_once('-').map(|(less, _)| less.to_owned());
        }
        FALLBACK.to_owned()
    }

    fn write(&self, template: &Template, locale: &str, recipient: Option<&str>, app: &App) -> Result<MailPreview> {
        let kind = template.kind();
        let mut variables = template.variables(&app.url);
        let recipient = recipient.map(address::name).filter(|name| !name.is_empty());
        for (name, value) in [
            ("app_name", Value::from(app.name.as_str())),
            ("app_url", Value::from(app.url.as_str())),
            ("locale", Value::from(locale)),
            ("name", recipient.map_or(Value::Null, Value::from)),
        ] {
            variables.insert(name.to_owned(), value);
        }
        // What is not there can be asked for and not be shown: nobody gets a mail that says `none`.
        variables.retain(|_, value| !value.is_null());
        let subject = address::line(&self.part(kind, locale, "subject", &variables)?);
        variables.insert("subject".to_owned(), Value::from(subject.as_str()));
        let text = self.part(kind, locale, "txt", &variables)?.trim().to_owned() + "\n";
        let has_html = self.known.get(&(kind, locale.to_owned())).copied().unwrap_or_default();
        let html = has_html.then(|| self.part(kind, locale, "html", &variables)).transpose()?;
        Ok(MailPreview { locale: locale.to_owned(), subject, text: if text == "\n" { String::new() } else { text }, html })
    }

    fn part(&self, kind: MailKind, locale: &str, part: &str, variables: &Map<String, Value>) -> Result<String> {
        let name = name(kind, locale, part);
        let rendered =
            self.environment.get_template(&name).and_then(|template| template.render(minijinja::value::Serde(variables)));
        rendered.map_err(|e| broken(&name, &e))
    }
}

/// How a part of a text is called. What ends in `html` is escaped.
fn name(kind: MailKind, locale: &str, part: &str) -> String {
    format!("{locale}/{}.{part}", kind.as_str())
}

/// A language tag in lower case with hyphens; none if it is none.
fn normalized(locale: &str) -> Option<String> {
    let locale = locale.trim().replace('_', "-").to_ascii_lowercase();
    let is_word = |(i, word): (usize, &str)| {
        let fits = |c: char| c.is_ascii_lowercase() || (i > 0 && c.is_ascii_digit());
        (if i == 0 { 2 } else { 1 }..=8).contains(&word.len()) && word.chars().all(fits)
    };
    (locale.len() <= 35 && locale.split('-').enumerate().all(is_word)).then_some(locale)
}

fn malformed(kind: MailKind, locale: &str, why: &str) -> Error {
    let locale: String = locale.chars().filter(|c| !c.is_control()).take(35).collect();
    Error::invalid("malformed_mail_template", format!("the mail template `{}` for `{locale}`: {why}", kind.as_str()))
}

/// What the template engine says names places in the template, and no values.
fn broken(name: &str, error: &minijinja::Error) -> Error {
    let line = error.line().map(|line| format!(", line {line}")).unwrap_or_default();
    let detail = error.detail().map(|detail| format!(": {detail}")).unwrap_or_default();
    Error::invalid("malformed_mail_template", format!("the mail template `{name}`{line}: {}{detail}", error.kind()))
}

#[cfg(test)]
#[path = "tests.rs"]
mod tests;
