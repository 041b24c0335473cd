use super::*;

const GOOGLE: &str = include_str!("../../providers/google.toml");

fn refused(text: &str) -> String {
    let error = Manifest::parse("test.toml", text).expect_err("refused");
    assert_eq!(error.reason(), "malformed_manifest");
    error.to_string()
}

#[test]
fn a_mistake_is_named_by_file_line_and_field() {
    let line_of = |needle: &str| GOOGLE.lines().position(|l| l.starts_with(needle)).expect("the line") + 1;
    let cases = [
        ("default_lifetime = 3600", "default_lifetme = 3600", "default_lifetme"),
        ("default_lifetime = 3600", "default_lifetime = \"long\"", "i64"),
        ("client_auth = \"body\"", "client_auth = \"sometimes\"", "sometimes"),
    ];
    for (right, wrong, mention) in &cases {
        let text = refused(&GOOGLE.replacen(right, wrong, 1));
        assert!(text.contains("test.toml"), "{text}");
        assert!(text.contains(&format!("line {}", line_of(right))), "{text}");
        assert!(text.contains(mention), "{text}");
    }
}

#[test]
fn what_does_not_fit_together_is_refused() {
    let cases = [
        ("schema = 1", "schema = 2", "reads schema 1"),
        ("name = \"google\"", "name = \"Google!\"", "small letters"),
        ("https://oauth2.googleapis.com/token", "http://oauth2.googleapis.com/token", "use https"),
        ("https://oauth2.googleapis.com/token", "https://evil.example/token", "not in `hosts`"),
        ("record = \"file\"", "record = \"fiel\"", "no services.drive.records.fiel"),
        ("fetch = \"mail.get\"", "fetch = \"mail.gt\"", "no such operation"),
        ("items = \"files\"", "items = \"files[\"", "not a path"),
        ("{folder_id|drive_quote}", "{folder_id|drive_quot}", "no transform"),
        ("client_auth = \"body\"", "send = { headers = { X-Token = \"{token}\" } }", "auth.send: `{token}`"),
        ("client_auth = \"body\"", "send = { headers = { X-Client = \"{client_id}\" } }", "say where `{access_token}` goes"),
    ];
    for (right, wrong, mention) in cases {
        assert!(GOOGLE.contains(right), "{right}");
        let text = refused(&GOOGLE.replacen(right, wrong, 1));
        assert!(text.contains(mention), "{text}");
    }
}

#[test]
fn nonsense_is_refused_and_does_not_panic() {
    for text in ["", "x", "[", "schema = 1", "\u{0}", &"[a".repeat(10_000)] {
        refused(text);
    }
}
