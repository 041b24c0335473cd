//! What an installation needs to send mail, and what is refused when it is opened.

use super::*;

fn template(kind: MailKind, locale: &str, text: &str) -> MailTemplate {
    MailTemplate { kind, locale: locale.into(), subject: "Ihr Code".into(), text: text.into(), html: None }
}

on_both!(without_a_way_to_send_mail_the_act_fails_before_it_happens, |database| async move {
    let atom = database.open().await;
    let (_, scope) = sign_up(&atom, "ada@example.com").await;
    let errors = [
        queue_mail(&atom, &scope, "grace@example.com", true).await.unwrap_err(),
        atom.mail().send_test("grace@example.com".into(), MailKind::Invite, None).await.unwrap_err(),
        atom.mail().preview(MailKind::Invite, None).await.unwrap_err(),
    ];
    for error in errors {
        assert_eq!((error.kind(), error.reason()), (ErrorKind::Unsupported, "mail_not_configured"));
        assert!(error.to_string().contains("`mail_from`"), "it names the mend");
    }
    assert!(atom.mail().list(MailDeliveryFilter::default()).await.unwrap().items.is_empty());
});

on_both!(a_host_writes_in_its_own_words_and_in_more_languages, |database| async move {
    let letters = Letters::new([Answer::Take]);
    let german = template(MailKind::SignInCode, "de", "Ihr Code für {{ app_name }}: {{ code }}");
    let atom = letters.on(database.builder()).mail_template(german).mail_reply_to("help@acme.example").open().await.unwrap();
    let mail = atom.mail();
    let sent = mail.send_test("ada@münchen.example".into(), MailKind::SignInCode, Some("de-AT".into())).await.unwrap();
    assert_eq!((sent.locale.as_str(), sent.state), ("de", MailDeliveryState::Sent));
    let [letter] = letters.taken().try_into().ok().unwrap();
    assert_eq!((letter.text.as_str(), letter.html), ("Ihr Code für Acme: 12345678\n", None));
    assert_eq!((letter.to.as_str(), letter.reply_to.as_deref()), ("ada@xn--mnchen-3ya.example", Some("help@acme.example")));
    let preview = mail.preview(MailKind::SignInCode, Some("fr".into())).await.unwrap();
    assert!(preview.locale == "en" && preview.text.contains("Hello Ada") && preview.html.is_some());
});

#[tokio::test]
async fn a_template_that_could_fail_in_the_middle_of_a_reset_is_refused_when_it_is_opened() {
    let database = Database::sqlite();
    for text in ["{{ link }}", "{{ cod", "{% if name %}{{ nickname }}{% endif %}", ""] {
        let broken = template(MailKind::SignInCode, "de", text);
        let error = Letters::refusing(database.builder()).mail_template(broken).open().await.err().unwrap();
        assert_eq!((error.kind(), error.reason()), (ErrorKind::Invalid, "malformed_mail_template"), "{text}");
        assert!(error.to_string().contains("sign_in_code"), "{error}");
    }
    assert!(!database.folder.path().join("atom.db").exists(), "nothing was made");
}

#[tokio::test]
async fn two_ways_to_send_mail_and_half_a_way_are_refused() {
    let database = Database::sqlite();
    let smtp = || SmtpOptions { host: "smtp.acme.example".into(), ..Default::default() };
    let complete = || database.builder().app_url("https://acme.example").mail_from("no-reply@acme.example").smtp(smtp());
    let refused = async |builder: Builder| builder.open().await.err().unwrap();
    assert_eq!(refused(complete().mail_sender(Letters::new([Answer::Take]))).await.reason(), "malformed_option");
    assert_eq!(refused(database.builder().smtp(smtp()).mail_from("no-reply@acme.example")).await.reason(), "malformed_option");
    assert_eq!(refused(database.builder().smtp(smtp()).app_url("https://acme.example")).await.reason(), "malformed_option");
    let plain = SmtpOptions { security: Some(SmtpSecurity::Plain), ..smtp() };
    assert_eq!(refused(complete().smtp(plain)).await.reason(), "malformed_smtp");
    assert!(complete().open().await.is_ok());
}
