//! Sending over SMTP, through `lettre`: encrypted, or to this machine.

use super::sender::{MailReceipt, MailSender};
use super::{OutgoingMail, SmtpOptions, SmtpSecurity};
use crate::crypto::BoxFuture;
use crate::{Error, ErrorKind, Result};
use lettre::message::header::{ContentType, HeaderName, HeaderValue};
use lettre::message::{Mailbox, Message, MultiPart};
use lettre::transport::smtp::PoolConfig;
use lettre::transport::smtp::authentication::Credentials;
use lettre::transport::smtp::client::{Certificate, Tls, TlsParameters};
use lettre::transport::smtp::extension::ClientId;
use lettre::transport::smtp::response::Response;
use lettre::{AsyncSmtpTransport, AsyncTransport, Tokio1Executor};
use std::error::Error as _;
use std::time::Duration;
use tokio::runtime::Handle;

/// How long a connection may take to be made.
const CONNECT: Duration = Duration::from_secs(10);
/// How long a connection is kept at hand. Servers close theirs after five minutes at the earliest (RFC 5321 §4.5.3.2.7).
const IDLE: Duration = Duration::from_secs(60);
/// How many connections are kept at hand.
const CONNECTIONS: u32 = 4;
/// What servers answer whose sign-in failed: the operator's mistake, and no reason to give up the mail (RFC 4954 §6).
const SIGN_IN: [u16; 5] = [454, 530, 534, 535, 538];

/// A mail server.
pub(super) struct Smtp {
    /// Present until this is dropped.
    transport: Option<AsyncSmtpTransport<Tokio1Executor>>,
    /// The pool says goodbye on a task when it is dropped, which may happen on a thread that knows no runtime.
    runtime: Handle,
}

impl Drop for Smtp {
    fn drop(&mut self) {
        let _runtime = self.runtime.enter();
        drop(self.transport.take());
    }
}

impl Smtp {
    /// A server as the options describe it. Nothing is connected yet. It must be made within a runtime.
    pub(super) fn new(options: &SmtpOptions, sender_domain: &str) -> Result<Self> {
        let SmtpOptions { host, port, security, user_name, password, ca_certificate, hello_name } = options;
        if host.is_empty() || host.chars().any(|c| c.is_whitespace() || c.is_control()) {
            return Err(malformed("`host` is the name of the mail server: `smtp.example.com`"));
        }
        let port = port.map(u16::try_from).transpose().ok().filter(|port| *port != Some(0));
        let port = port.ok_or_else(|| malformed("`port` is between 1 and 65535"))?;
        let security = security.unwrap_or(if port == Some(465) { SmtpSecurity::Tls } else { SmtpSecurity::StartTls });
        if security == SmtpSecurity::Plain && !matches!(host.as_str(), "localhost" | "127.0.0.1" | "::1") {
            return Err(malformed("`plain` is for a server on this machine only: use `start_tls` or `tls`"));
        }
        let (usual, tls) = match security {
            SmtpSecurity::StartTls => (587, Tls::Required(encryption(host, ca_certificate.as_deref())?)),
            SmtpSecurity::Tls => (465, Tls::Wrapper(encryption(host, ca_certificate.as_deref())?)),
            SmtpSecurity::Plain => (25, Tls::None),
        };
        let hello = hello_name.clone().unwrap_or_else(|| sender_domain.to_owned());
        if hello.is_empty() || !hello.chars().all(|c| c.is_ascii_alphanumeric() || ".-_:[]".contains(c)) {
            return Err(malformed("`hello_name` is a domain, or an address in brackets"));
        }
        let mut builder = AsyncSmtpTransport::<Tokio1Executor>::builder_dangerous(host)
            .port(port.unwrap_or(usual))
            .tls(tls)
            .timeout(Some(CONNECT))
            .hello_name(ClientId::Domain(hello))
            .pool_config(PoolConfig::new().max_size(CONNECTIONS).idle_timeout(IDLE));
        match (user_name, password) {
            (Some(name), Some(password)) => {
                builder = builder.credentials(Credentials::new(name.clone(), password.expose().to_owned()));
            }
            (None, None) => {}
            _ => return Err(malformed("give `user_name` and `password`, or neither")),
        }
        Ok(Self { transport: Some(builder.build()), runtime: Handle::current() })
    }

    async fn deliver(&self, mail: &OutgoingMail) -> Result<MailReceipt> {
        let message = message(mail)?;
        let Some(transport) = &self.transport else { return Err(Error::internal("mail_server", "the mail server is gone")) };
        match transport.send(message).await {
            Ok(response) => Ok(MailReceipt { receipt_id: receipt(&response) }),
            Err(error) => Err(sorted(error, mail.to.is_ascii())),
        }
    }
}

impl MailSender for Smtp {
    fn send<'a>(&'a self, mail: &'a OutgoingMail) -> BoxFuture<'a, Result<MailReceipt>> {
        Box::pin(self.deliver(mail))
    }
}

fn malformed(why: &str) -> Error {
    Error::invalid("malformed_smtp", format!("the mail server cannot be used: {why}"))
}

fn encryption(host: &str, ca_certificate: Option<&str>) -> Result<TlsParameters> {
    let mut builder = TlsParameters::builder(host.to_owned());
    if let Some(pem) = ca_certificate {
        let certificate = Certificate::from_pem(pem.as_bytes()).ok().filter(|_| pem.contains("BEGIN CERTIFICATE"));
        builder =
            builder.add_root_certificate(certificate.ok_or_else(|| malformed("`ca_certificate` is not a certificate in PEM"))?);
    }
    builder.build_rustls().map_err(|e| malformed("its certificates cannot be checked").with_source(e))
}

/// The mail as a message of RFC 5322.
fn message(mail: &OutgoingMail) -> Result<Message> {
    let unwritable = || Error::invalid("malformed_mail", "the mail cannot be written as a message: check its addresses");
    let mailbox = |text: &str| text.parse::<Mailbox>().map_err(|_| unwritable());
    let mut builder = Message::builder().from(mailbox(&mail.sender)?).to(mailbox(&mail.to)?).subject(mail.subject.clone());
    if let Some(reply_to) = &mail.reply_to {
        builder = builder.reply_to(mailbox(reply_to)?);
    }
    for (name, value) in &mail.headers {
        let name = HeaderName::new_from_ascii(name.clone()).map_err(|_| unwritable())?;
        builder = builder.raw_header(HeaderValue::new(name, value.clone()));
    }
    let built = match &mail.html {
        Some(html) => builder.multipart(MultiPart::alternative_plain_html(mail.text.clone(), html.clone())),
        None => builder.header(ContentType::TEXT_PLAIN).body(mail.text.clone()),
    };
    built.map_err(|e| unwritable().with_source(e))
}

/// What the server called the mail: the longest word of its answer that looks like an id. Whatever else it says may be about people.
fn receipt(response: &Response) -> Option<String> {
    let words = response.message().flat_map(str::split_whitespace);
    let is_id = |word: &&str| {
        (6..=200).contains(&word.len())
            && word.bytes().all(|b| b.is_ascii_alphanumeric() || b".-_".contains(&b))
            && word.bytes().any(|b| b.is_ascii_digit())
    };
    words
        .map(|word| word.trim_matches(|c: char| "<>()[];,".contains(c)))
        .filter(is_id)
        .max_by_key(|word| word.len())
        .map(str::to_owned)
}

/// What a failure means for the mail. A server's text is left out: it repeats the address.
fn sorted(error: lettre::transport::smtp::Error, is_ascii: bool) -> Error {
    let code = error.status().map(u16::from);
    let sorted = match code {
        Some(code) if SIGN_IN.contains(&code) => Error::unavailable(
            "mail_server_sign_in",
            format!(
                "the mail server did not accept the sign-in ({code}): check `user_name` and `password`; the mail is tried again"
            ),
        ),
        Some(code @ 500..) => Error::new(
            ErrorKind::Provider,
            "mail_refused",
            format!(
                "the mail server refused the mail for good ({code}): the address may not exist, or may not be written to from here"
            ),
        ),
        Some(code) => {
            Error::unavailable("mail_deferred", format!("the mail server wants the mail later ({code}): it is tried again"))
        }
        None if error.is_client() && !is_ascii => Error::new(
            ErrorKind::Unsupported,
            "mail_address_unsupported",
            "the address is not in ASCII, and the mail server has no SMTPUTF8: ask for another address, or use another server",
        ),
        None if error.is_client() => Error::unavailable(
            "mail_server_unsuitable",
            "the mail server does not offer the encryption or the sign-in that `smtp` asks for: compare the two; the mail is tried again",
        ),
        None if error.is_tls() || is_about_encryption(&error) => Error::unavailable(
            "mail_server_insecure",
            "no encrypted connection to the mail server could be made: check its certificate and `ca_certificate`; the mail is tried again",
        ),
        None => Error::unavailable("mail_server_unreachable", "the mail server does not answer: the mail is tried again"),
    };
    // Only the parts of it that hold no text of the server.
    if code.is_none() { sorted.with_source(error) } else { sorted }
}

/// Whether no encrypted connection came about: `lettre` takes that for any other failure to connect.
fn is_about_encryption(error: &lettre::transport::smtp::Error) -> bool {
    let mut source = error.source();
    while let Some(cause) = source {
        let inner = cause.downcast_ref::<std::io::Error>().and_then(std::io::Error::get_ref);
        if inner.is_some_and(|inner| inner.is::<rustls::Error>()) {
            return true;
        }
        source = cause.source();
    }
    false
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::{MailId, MailKind};

    fn mail() -> OutgoingMail {
        OutgoingMail {
            id: MailId::generate(),
            kind: MailKind::SignInCode,
            sender: "\"Acme, \\\"Inc\\\"\" <no-reply@acme.example>".into(),
            to: "ada@example.com".into(),
            reply_to: Some("Help <help@acme.example>".into()),
            subject: "Grüße an Ada".into(),
            text: "Hello Zoë\n.\nEnd".into(),
            html: Some("<p>Hello Zoë</p>".into()),
            headers: [("Auto-Submitted".to_owned(), "auto-generated".to_owned())].into(),
        }
    }

    fn written(mail: &OutgoingMail) -> String {
        String::from_utf8(message(mail).expect("written").formatted()).expect("ASCII")
    }

    fn refused(options: &SmtpOptions) -> String {
        let error = Smtp::new(options, "acme.example").err().expect("refused");
        assert_eq!(error.reason(), "malformed_smtp");
        error.to_string()
    }

    #[test]
    fn a_message_has_both_texts_and_ascii_headers() {
        let text = written(&mail());
        assert!(text.is_ascii());
        assert!(text.contains("text/plain") && text.contains("text/html") && text.contains("Auto-Submitted: auto-generated"));
        // A name with quotes and commas is one name, whichever way it is written.
        assert!(text.contains("From: =?utf-8?b?QWNtZSwgIkluYyI=?= <no-reply@acme.example>"), "{text}");
        assert!(
            text.contains("Reply-To: \"Help\" <help@acme.example>") || text.contains("Reply-To: Help <help@acme.example>"),
            "{text}"
        );
        assert!(text.contains("To: ada@example.com"), "{text}");
    }

    #[test]
    fn a_line_break_in_a_subject_or_a_header_does_not_become_a_header() {
        let break_in = "x\r\nBcc: eve@example.com";
        let headers = [("Message-ID".to_owned(), break_in.to_owned())].into();
        for mail in [OutgoingMail { subject: break_in.into(), ..mail() }, OutgoingMail { headers, ..mail() }] {
            let text = written(&mail);
            assert!(!text.lines().any(|line| line.starts_with("Bcc:")), "{text}");
        }
        for mail in [
            OutgoingMail { to: "ada@example.com\r\nBcc: eve@example.com".into(), ..mail() },
            OutgoingMail { sender: break_in.into(), ..mail() },
        ] {
            assert_eq!(message(&mail).expect_err("refused").reason(), "malformed_mail");
        }
    }

    #[tokio::test]
    async fn a_server_that_would_hear_mail_in_the_clear_is_refused() {
        let plain = |host: &str| SmtpOptions { host: host.into(), security: Some(SmtpSecurity::Plain), ..Default::default() };
        assert!(refused(&plain("smtp.example.com")).contains("this machine only"));
        assert!(refused(&plain("127.0.0.1.example.com")).contains("this machine only"));
        assert!(Smtp::new(&plain("127.0.0.1"), "acme.example").is_ok());
        assert!(Smtp::new(&SmtpOptions { host: "smtp.example.com".into(), ..Default::default() }, "acme.example").is_ok());
    }

    #[tokio::test]
    async fn options_that_make_no_sense_are_refused() {
        let good = SmtpOptions { host: "smtp.example.com".into(), ..Default::default() };
        refused(&SmtpOptions::default());
        refused(&SmtpOptions { host: "smtp.example.com\r\nX".into(), ..Default::default() });
        for port in [0, -1, 70_000] {
            refused(&SmtpOptions { port: Some(port), ..good.clone() });
        }
        refused(&SmtpOptions { user_name: Some("ada".into()), ..good.clone() });
        refused(&SmtpOptions { password: Some("secret".into()), ..good.clone() });
        refused(&SmtpOptions { ca_certificate: Some("no certificate".into()), ..good.clone() });
        refused(&SmtpOptions { hello_name: Some("a b".into()), ..good });
    }

    #[test]
    fn a_server_can_be_dropped_where_there_is_no_runtime() {
        let runtime = tokio::runtime::Runtime::new().expect("a runtime");
        let options = SmtpOptions { host: "smtp.example.com".into(), ..Default::default() };
        let smtp = runtime.block_on(async { Smtp::new(&options, "acme.example") }).expect("a server");
        std::thread::spawn(move || drop(smtp)).join().expect("no panic");
    }

    #[test]
    fn the_id_in_an_answer_is_found_and_an_address_never() {
        let found = |text: &str| receipt(&format!("250 {text}\r\n").parse::<Response>().expect("an answer"));
        assert_eq!(found("2.0.0 Ok: queued as 4XyzAB12cd").as_deref(), Some("4XyzAB12cd"));
        assert_eq!(found("Ok 0100018c-1234-000000").as_deref(), Some("0100018c-1234-000000"));
        assert_eq!(found("OK <abc123@mail.example>"), None);
        assert_eq!(found("accepted for ada1@example.com"), None);
        assert_eq!(found("OK"), None);
    }
}
