//! How the installation sends mail: who sends it, whom it is from, what it says.

use super::sender::MailSender;
use super::smtp::Smtp;
use super::templates::{App, Templates};
use super::{MailPreview, address};
use crate::config::OpenOptions;
use crate::http_client::is_loopback;
use crate::mail::templates::Template;
use crate::{Error, ErrorKind, MailId, Result};
use chrono::TimeDelta;
use lettre::message::Mailbox;
use std::collections::HashSet;
use std::sync::Arc;
use std::time::Duration;
use tokio::sync::{Semaphore, watch};
use url::Url;

/// How many mails one process sends at once.
const AT_ONCE: usize = 8;

/// The mail of an installation, as one process has it.
pub(crate) struct Outbox {
    settings: Option<Settings>,
    /// How long what became of a mail is kept.
    keep: TimeDelta,
    /// Taken for the time of an attempt, so that a burst does not open a thousand connections.
    pub(super) permits: Semaphore,
    /// The first attempts of this process that are under way, or wait for their turn.
    under_way: watch::Sender<HashSet<MailId>>,
}

/// What mail is made of and sent with.
pub(super) struct Settings {
    pub(super) sender: Arc<dyn MailSender>,
    pub(super) from: String,
    /// What stands in ids of messages.
    pub(super) domain: String,
    pub(super) reply_to: Option<String>,
    app: App,
    templates: Templates,
}

impl Outbox {
    /// The mail as the options describe it. It must be made within a runtime.
    pub(crate) fn new(options: &mut OpenOptions, host: Option<Arc<dyn MailSender>>) -> Result<Self> {
        let keep_days = options.keep_mail_days.unwrap_or(30);
        if !(1..=3650).contains(&keep_days) {
            return Err(Error::invalid("malformed_option", "keep_mail_days is between 1 and 3650"));
        }
        Ok(Self {
            settings: Settings::new(options, host)?,
            keep: TimeDelta::days(keep_days.into()),
            permits: Semaphore::new(AT_ONCE),
            under_way: watch::Sender::new(HashSet::new()),
        })
    }

    /// How long what became of a mail is kept.
    pub(crate) fn keep(&self) -> TimeDelta {
        self.keep
    }

    /// Whether this process can send mail.
    pub(crate) fn is_configured(&self) -> bool {
        self.settings.is_some()
    }

    /// Fails with `unsupported` (`mail_not_configured`).
    pub(crate) fn check_configured(&self) -> Result<()> {
        self.settings().map(drop)
    }

    pub(super) fn settings(&self) -> Result<&Settings> {
        self.settings.as_ref().ok_or_else(|| {
            let text = "this installation sends no mail: open it with `smtp` or a mail sender of the host's, and with `mail_from` and `app_url`";
            Error::new(ErrorKind::Unsupported, "mail_not_configured", text)
        })
    }

    pub(super) fn begin(&self, id: MailId) {
        self.under_way.send_if_modified(|ids| ids.insert(id));
    }

    pub(super) fn end(&self, id: MailId) {
        self.under_way.send_if_modified(|ids| ids.remove(&id));
    }

    /// Waits until the first attempt at a mail has ended.
    pub(super) async fn tried(&self, id: MailId) {
        // It is sent from here, so somebody always is there to send.
        let _ = self.under_way.subscribe().wait_for(|ids| !ids.contains(&id)).await;
    }

    /// Waits until all first attempts have ended, so long at most. What is cut off is left to a worker.
    pub(crate) async fn land(&self, patience: Duration) {
        let mut under_way = self.under_way.subscribe();
        let _ = tokio::time::timeout(patience, under_way.wait_for(HashSet::is_empty)).await;
    }
}

impl Settings {
    fn new(options: &mut OpenOptions, host: Option<Arc<dyn MailSender>>) -> Result<Option<Self>> {
        let malformed = |text: &str| Error::invalid("malformed_option", text);
        let app_url = options.app_url.as_deref().map(check_app_url).transpose()?;
        let from = options.mail_from.as_deref().map(|from| mailbox("mail_from", from)).transpose()?;
        let reply_to = options.mail_reply_to.as_deref().map(|reply_to| mailbox("mail_reply_to", reply_to)).transpose()?;
        let templates = options.mail_templates.take().unwrap_or_default();
        let smtp = options.smtp.take();
        if host.is_some() && smtp.is_some() {
            return Err(malformed("give one way to send mail: `smtp`, or the host's own mail sender"));
        }
        if host.is_none() && smtp.is_none() {
            return Ok(None);
        }
        let from =
            from.ok_or_else(|| malformed("to send mail, `mail_from` says whom it is from: `Acme <no-reply@acme.example>`"))?;
        let (url, host_name) =
            app_url.ok_or_else(|| malformed("to send mail, `app_url` says where its links lead: `https://app.acme.example`"))?;
        let domain = from.email.domain().to_owned();
        let sender = match (host, smtp) {
            (Some(host), _) => host,
            (None, Some(smtp)) => Arc::new(Smtp::new(&smtp, &domain)?),
            (None, None) => return Ok(None),
        };
        let name = options.app_name.as_deref().map(address::name).filter(|name| !name.is_empty());
        let app = App { name: name.unwrap_or(host_name), url };
        let templates = Templates::new(templates, &app)?;
        let reply_to = reply_to.map(|reply_to| reply_to.to_string());
        Ok(Some(Self { sender, from: from.to_string(), domain, reply_to, app, templates }))
    }

    pub(super) fn render(&self, template: &Template, locale: Option<&str>, recipient: Option<&str>) -> Result<MailPreview> {
        self.templates.render(template, locale, recipient, &self.app)
    }
}

/// An address of the application with the name before it, if there is one.
fn mailbox(option: &str, text: &str) -> Result<Mailbox> {
    let malformed = || {
        let text = format!("`{option}` is an address, with or without a name: `Acme <no-reply@acme.example>`");
        Error::invalid("malformed_option", text)
    };
    if text.chars().any(char::is_control) {
        return Err(malformed());
    }
    let Mailbox { name, email } = text.parse().map_err(|_| malformed())?;
    let email = address::check(email.as_ref()).map_err(|_| malformed())?;
    Ok(Mailbox { name, email: email.parse().map_err(|_| malformed())? })
}

/// Where links lead, without a slash at its end, and the name of its host.
fn check_app_url(text: &str) -> Result<(String, String)> {
    let malformed = || {
        let text = "`app_url` is the address of the application: https, without a user name, a query or a fragment; http on this machine only";
        Error::invalid("malformed_option", text)
    };
    let url = Url::parse(text).map_err(|_| malformed())?;
    let is_safe = url.scheme() == "https" || (url.scheme() == "http" && is_loopback(&url));
    let is_bare = url.query().is_none() && url.fragment().is_none() && url.username().is_empty() && url.password().is_none();
    let host = url.host_str().filter(|_| is_safe && is_bare).ok_or_else(malformed)?;
    Ok((url.as_str().trim_end_matches('/').to_owned(), host.to_owned()))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::SmtpOptions;

    fn options() -> OpenOptions {
        OpenOptions {
            app_url: Some("https://acme.example/".into()),
            mail_from: Some("\"Acme, \\\"Inc\\\"\" <no-reply@acme.example>".into()),
            smtp: Some(SmtpOptions { host: "smtp.acme.example".into(), ..Default::default() }),
            ..Default::default()
        }
    }

    fn refused(mut options: OpenOptions) -> String {
        let error = Outbox::new(&mut options, None).err().expect("refused");
        assert_eq!(error.reason(), "malformed_option");
        error.to_string()
    }

    #[tokio::test]
    async fn the_name_of_the_application_is_its_host_unless_it_has_one() {
        let outbox = Outbox::new(&mut options(), None).expect("configured");
        let settings = outbox.settings().expect("configured");
        assert_eq!((settings.app.name.as_str(), settings.app.url.as_str()), ("acme.example", "https://acme.example"));
        assert_eq!((settings.domain.as_str(), settings.from.parse::<Mailbox>().is_ok()), ("acme.example", true));
        let mut named = OpenOptions { app_name: Some("Acme".into()), ..options() };
        assert_eq!(Outbox::new(&mut named, None).expect("configured").settings().expect("configured").app.name, "Acme");
    }

    #[tokio::test]
    async fn without_a_sender_there_is_no_mail_and_the_error_says_what_to_give() {
        let mut bare = OpenOptions { smtp: None, ..options() };
        let outbox = Outbox::new(&mut bare, None).expect("opened");
        let error = outbox.settings().err().expect("not configured");
        assert_eq!(error.reason(), "mail_not_configured");
        for option in ["smtp", "mail_from", "app_url"] {
            assert!(error.to_string().contains(option));
        }
    }

    #[tokio::test]
    async fn options_that_would_send_links_or_mail_astray_are_refused() {
        assert!(refused(OpenOptions { app_url: None, ..options() }).contains("app_url"));
        assert!(refused(OpenOptions { mail_from: None, ..options() }).contains("mail_from"));
        for url in [
            "acme.example",
            "http://acme.example",
            "https://a@acme.example",
            "https://acme.example/?x=1",
            "https://acme.example/#x",
            "javascript:alert(1)",
        ] {
            assert!(refused(OpenOptions { app_url: Some(url.into()), ..options() }).contains("app_url"), "{url}");
        }
        for from in ["", "Acme", "Acme <no-reply>", "a@acme.example\r\nBcc: eve@example.com", "Acme\n <a@acme.example>"] {
            assert!(refused(OpenOptions { mail_from: Some(from.into()), ..options() }).contains("mail_from"), "{from}");
            assert!(refused(OpenOptions { mail_reply_to: Some(from.into()), ..options() }).contains("mail_reply_to"), "{from}");
        }
        refused(OpenOptions { keep_mail_days: Some(0), ..options() });
    }
}
