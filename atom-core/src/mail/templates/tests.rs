use super::*;
use crate::Secret;
use chrono::{DateTime, Utc};

fn app() -> App {
    App { name: "Acme".into(), url: "https://acme.example/app".into() }
}

fn own(kind: MailKind, locale: &str, subject: &str, text: &str, html: Option<&str>) -> MailTemplate {
    let (locale, subject, text) = (locale.to_owned(), subject.to_owned(), text.to_owned());
    MailTemplate { kind, locale, subject, text, html: html.map(str::to_owned) }
}

fn templates(own: Vec<MailTemplate>) -> Templates {
    Templates::new(own, &app()).expect("templates")
}

fn refusal(kind: MailKind, subject: &str, text: &str, html: Option<&str>) -> String {
    let error = Templates::new(vec![own(kind, "de", subject, text, html)], &app()).err().expect("refused");
    assert_eq!(error.reason(), "malformed_mail_template");
    error.to_string()
}

fn code() -> Template {
    Template::SignInCode(SignInCode { code: "11112222".into(), minutes: 10 })
}

#[test]
fn every_kind_has_an_english_text_with_all_that_it_has_to_say() {
    let templates = templates(vec![]);
    for (kind, ..) in ENGLISH {
        templates.try_out(kind, FALLBACK, &app()).expect("it is complete");
        let [full, _] = Template::samples(kind);
        let mail = templates.render(&full, None, Some("Ada"), &app()).expect("rendered");
        let html = mail.html.expect("a text in HTML");
        assert!(mail.subject.contains("Acme"), "{}", mail.subject);
        for (name, value) in full.variables(&app().url) {
            // The token is in the link; what a sentence is made of is not there as it is.
            if ["token", "minutes", "factor", "change"].contains(&name.as_str()) {
                continue;
            }
            let value = value.as_str().expect(&name).to_owned();
            assert!(mail.text.contains(&value), "{}: no {name} in\n{}", kind.as_str(), mail.text);
            assert!(
                html.contains(&value.replace('/', "&#x2f;")) || html.contains(&value),
                "{}: no {name} in\n{html}",
                kind.as_str()
            );
        }
        for part in [&mail.subject, &mail.text, &html] {
            assert!(!part.contains("{{") && !part.contains("{%"), "{part}");
        }
        assert!(mail.text.contains("Ada") && html.contains("Ada"));
    }
}

#[test]
fn p20_a_link_leads_to_the_configured_application_and_nowhere_else() {
    let templates = templates(vec![]);
    for (kind, page) in [
        (MailKind::VerifyEmail, "verify-email"),
        (MailKind::ResetPassword, "reset-password"),
        (MailKind::MagicLink, "sign-in"),
        (MailKind::Invite, "accept-invitation"),
    ] {
        let [full, _] = Template::samples(kind);
        let mail = templates.render(&full, None, None, &app()).expect("rendered");
        assert!(mail.text.contains(&format!("\nhttps://acme.example/app/{page}?token=sample-token\n")), "{}", mail.text);
    }
}

#[test]
fn the_nearest_language_is_taken_and_english_is_the_last() {
    let german = |locale: &str, word: &str| own(MailKind::SignInCode, locale, word, "{{ code }}", None);
    let templates = templates(vec![german("de", "Servus"), german("de_AT", "Grüß Gott"), german("pt-BR", "Oi")]);
    for (wanted, subject) in [
        (Some("de-AT"), "Grüß Gott"),
        (Some("DE_at"), "Grüß Gott"),
        (Some("de-CH-1996"), "Servus"),
        (Some("de"), "Servus"),
        (Some("pt"), "Your code for Acme"),
        (Some("fr"), "Your code for Acme"),
        (Some("../../etc"), "Your code for Acme"),
        (Some(""), "Your code for Acme"),
        (None, "Your code for Acme"),
    ] {
        let mail = templates.render(&code(), wanted, None, &app()).expect("rendered");
        assert_eq!(mail.subject, subject, "{wanted:?}");
    }
    let mail = templates.render(&code(), Some("de"), None, &app()).expect("rendered");
    assert_eq!((mail.text.as_str(), mail.html), ("11112222\n", None), "the host's own has no HTML");
}

#[test]
fn a_host_replaces_the_english_text_and_keeps_the_layout() {
    let html = "{% extends \"layout.html\" %}{% block body %}<b>{{ code }}</b>{% endblock %}";
    let templates = templates(vec![own(MailKind::SignInCode, "en", "Mine", "{{ app_name }}: {{ code }}", Some(html))]);
    let mail = templates.render(&code(), None, None, &app()).expect("rendered");
    assert_eq!((mail.subject.as_str(), mail.text.as_str()), ("Mine", "Acme: 11112222\n"));
    let html = mail.html.expect("HTML");
    assert!(html.contains("<b>11112222</b>") && html.contains("<title>Mine</title>"), "{html}");
}

#[test]
fn a_template_that_would_fail_when_it_is_needed_is_refused_at_once() {
    let fine = ("Hello", "{{ code }}");
    assert!(refusal(MailKind::SignInCode, "{{ cod }}", fine.1, None).contains("`cod`"));
    assert!(refusal(MailKind::SignInCode, fine.0, "{% if name %}{{ link }}{% endif %}", None).contains("`link`"));
    assert!(refusal(MailKind::SignInCode, fine.0, fine.1, Some("{{ passwort }}")).contains("`passwort`"));
    assert!(refusal(MailKind::SignInCode, fine.0, "{% if %}", None).contains("line 1"));
    assert!(refusal(MailKind::SignInCode, fine.0, "{{ code|nonsense }}", None).contains("nonsense"));
    assert!(refusal(MailKind::SignInCode, fine.0, fine.1, Some("{% extends \"nothing.html\" %}")).contains("sign_in_code.html"));
    assert!(refusal(MailKind::SignInCode, "  ", fine.1, None).contains("empty"));
    assert!(
        refusal(MailKind::VerifyEmail, fine.0, "{{ code }}", None).contains("verify_email.txt"),
        "a code is not always there"
    );
    assert!(refusal(MailKind::SignInCode, "Hello {{ name }}", fine.1, None).contains("sign_in_code.subject"), "nor is a name");
    assert!(refusal(MailKind::SignInCode, fine.0, &"x".repeat(LARGEST + 1), None).contains("256 KiB"));
    for locale in ["", "d", "german language", "de--AT", "../de"] {
        let template = own(MailKind::SignInCode, locale, "Hello", "{{ code }}", None);
        assert!(Templates::new(vec![template], &app()).err().expect(locale).to_string().contains("language tag"));
    }
    let twice = ["de-AT", "de_at"].map(|locale| own(MailKind::SignInCode, locale, "Hello", "{{ code }}", None));
    assert!(Templates::new(twice.into(), &app()).err().expect("refused").to_string().contains("twice"));
}

fn invite(inviter: &str, workspace: &str) -> MailPreview {
    let (inviter, workspace) = (inviter.to_owned(), workspace.to_owned());
    let invite = Invite { token: "t".into(), minutes: 60, inviter, workspace, role: "member".into() };
    templates(vec![]).render(&Template::Invite(invite), None, Some("<i>Bob</i>"), &app()).expect("rendered")
}

#[test]
fn a_name_brings_no_tags_into_html() {
    let mail = invite("<script>alert(1)</script>", "\"><img src=x onerror=alert(1)>");
    let html = mail.html.expect("HTML");
    for tag in ["<script", "<img", "<i>"] {
        assert!(!html.contains(tag), "{html}");
    }
    assert!(html.contains("&lt;script&gt;"), "{html}");
    assert!(mail.text.contains("<script>"), "plain text is what it is");
}

#[test]
fn a_name_brings_no_line_and_no_link_into_a_mail() {
    let mail = invite("Eve\r\nBcc: all@example.com\r\n\r\nYour account is locked, see https://evil.example", "Work\nshop");
    assert!(!mail.subject.contains('\n') && !mail.subject.contains('\r'));
    assert!(mail.subject.starts_with("Eve Bcc: all@example.com"), "{}", mail.subject);
    assert!(!mail.text.contains("https://evil") && mail.text.contains("Work shop"), "{}", mail.text);
    assert!(!mail.text.lines().any(|line| line.starts_with("Bcc:")), "{}", mail.text);
}

#[test]
fn a_mail_says_how_long_it_is_valid_in_words_that_fit() {
    let text = |minutes| {
        let template = Template::ResetPassword(ResetPassword { token: Secret::from("t"), minutes });
        templates(vec![]).render(&template, None, None, &app()).expect("rendered").text
    };
    for (minutes, words) in
        [(15, "15 minutes"), (60, "60 minutes"), (120, "2 hours"), (24 * 60, "24 hours"), (7 * 24 * 60, "7 days")]
    {
        assert!(text(minutes).contains(words), "{}", text(minutes));
    }
}

#[test]
fn the_new_address_is_masked_for_the_one_before() {
    let at = DateTime::<Utc>::UNIX_EPOCH;
    let changed = EmailChanged { at, new_email: "grace@example.com".into() };
    let mail = templates(vec![]).render(&Template::EmailChanged(changed), None, None, &app()).expect("rendered");
    assert!(mail.text.contains("g***@example.com") && !mail.text.contains("grace"), "{}", mail.text);
}
