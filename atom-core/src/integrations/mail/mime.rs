//! Writes a message as RFC 5322 text, through `lettre`, which keeps line breaks in a subject from becoming headers.

use super::NewMessage;
use crate::{Error, Result};
use base64::Engine;
use lettre::message::{Mailbox, Message, MultiPart};

/// The message in base64, as inputs of an operation hold bytes.
pub(super) fn build(message: &NewMessage, sender: Option<&str>) -> Result<String> {
    if message.to.is_empty() {
        return Err(Error::invalid("missing_input", "a message needs at least one recipient in `to`"));
    }
    let mut builder = Message::builder().subject(message.subject.clone());
    if let Some(sender) = sender {
        builder = builder.from(mailbox(sender)?);
    }
    for to in &message.to {
        builder = builder.to(mailbox(to)?);
    }
    for cc in message.cc.iter().flatten() {
        builder = builder.cc(mailbox(cc)?);
    }
    for bcc in message.bcc.iter().flatten() {
        // The provider sends what it is given: the header must stay for it to know the hidden recipients.
        builder = builder.bcc(mailbox(bcc)?).keep_bcc();
    }
    let built = match &message.html {
        Some(html) => builder.multipart(MultiPart::alternative_plain_html(message.text.clone(), html.clone())),
        None => builder.body(message.text.clone()),
    };
    let built = built
        .map_err(|e| Error::invalid("malformed_message", "the message cannot be written: check its addresses").with_source(e))?;
    Ok(base64::engine::general_purpose::STANDARD.encode(built.formatted()))
}

fn mailbox(text: &str) -> Result<Mailbox> {
    // The address itself stays out of the error: it is personal data.
    text.parse().map_err(|_| {
        Error::invalid("malformed_address", "an address is not of the form `ada@example.com` or `Ada <ada@example.com>`")
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    fn message(subject: &str) -> NewMessage {
        let to = vec!["Bob <bob@example.com>".to_owned()];
        NewMessage { to, subject: subject.into(), text: "Grüße".into(), ..Default::default() }
    }

    fn text(message: &NewMessage) -> String {
        let built = build(message, Some("ada@example.com")).expect("built");
        String::from_utf8(base64::engine::general_purpose::STANDARD.decode(built).expect("base64")).expect("ASCII")
    }

    #[test]
    fn a_line_break_in_a_subject_does_not_become_a_header() {
        let text = text(&message("Hi\r\nBcc: eve@example.com"));
        assert!(!text.lines().any(|line| line.starts_with("Bcc:")), "{text}");
    }

    #[test]
    fn hidden_recipients_and_both_bodies_are_written() {
        let full = NewMessage { html: Some("<p>Grüße</p>".into()), bcc: Some(vec!["eve@example.com".into()]), ..message("Hi") };
        let text = text(&full);
        assert!(text.contains("Bcc: eve@example.com") && text.contains("text/plain") && text.contains("text/html"), "{text}");
    }

    #[test]
    fn a_malformed_address_is_refused_without_repeating_it() {
        let error = build(&NewMessage { to: vec!["bob at example".into()], ..message("Hi") }, None).expect_err("refused");
        assert_eq!(error.reason(), "malformed_address");
        assert!(!error.to_string().contains("bob"));
        assert_eq!(build(&NewMessage { to: vec![], ..message("Hi") }, None).expect_err("refused").reason(), "missing_input");
    }
}
