use super::super::Manifest;

const HEAD: &str = r#"
schema = 1
name = "vendor"
title = "Vendor"
docs = "https://vendor.example/docs"
verified_at = "2026-11-21"
hosts = ["vendor.example"]
"#;

const KEY: &str = r#"
[methods.key]
type = "api_key"
title = "API key"
send = { headers = { X-Api-Key = "{api_key}" } }
"#;

fn parse(rest: &str) -> Result<Manifest, String> {
    Manifest::parse("vendor.toml", &format!("{HEAD}{rest}")).map_err(|e| e.to_string())
}

#[test]
fn a_method_says_what_it_needs_or_takes_what_its_type_needs() {
    let manifest = parse(KEY).expect("a manifest without `[auth]`");
    let names: Vec<_> = manifest.methods["key"].fields.iter().map(|field| (field.name.as_str(), field.secret)).collect();
    assert_eq!(names, [("api_key", true)]);
    let own = KEY
        .replace("send =", "fields = [{ name = \"token\", title = \"Token\", pattern = \"tok_[a-z]+\" }]\nsend =")
        .replace("{api_key}", "{token}");
    let manifest = parse(&own).expect("fields of its own");
    let field = &manifest.methods["key"].fields[0];
    let pattern = field.pattern.as_ref().expect("a pattern");
    assert!(pattern.fits("tok_abc") && !pattern.fits("tok_abc1") && !pattern.fits("x tok_abc"), "it is for the whole value");
}

#[test]
fn a_method_may_say_how_its_credential_is_ended() {
    let with = |revoke: &str| parse(&KEY.replace("send =", &format!("revoke = {revoke}\nsend =")));
    with("{ method = \"DELETE\", url = \"https://vendor.example/keys/{api_key}\" }").expect("an address with a field");
    with("{ url = \"https://vendor.example/end\", encoding = \"json\", params = { key = \"{api_key}\", of = \"{client_id}\" } }")
        .expect("a document");
    let cases = [
        ("{ url = \"https://evil.example/end\" }", "methods.key.revoke.url"),
        ("{ url = \"https://vendor.example/keys/{key}\" }", "methods.key.revoke.url"),
        ("{ url = \"https://vendor.example/end\", params = { a = \"{key}\" } }", "methods.key.revoke: `{key}`"),
        ("{ url = \"https://vendor.example/end\", headers = { X-Key = \"{key}\" } }", "methods.key.revoke: `{key}`"),
        ("{ url = \"https://vendor.example/end\", headers = { Host = \"a\" } }", "methods.key.revoke.headers: `Host`"),
        ("{ url = \"https://vendor.example/end\", method = \"GET\", params = { a = \"b\" } }", "a GET has no body"),
        ("{ url = \"https://vendor.example/end\", methd = \"POST\" }", "methd"),
        ("{ method = \"POST\" }", "url"),
    ];
    for (revoke, mention) in cases {
        let error = with(revoke).err().unwrap_or_else(|| panic!("{revoke} is refused"));
        assert!(error.contains(mention), "{revoke}: {error}");
    }
}

#[test]
fn a_mistake_in_a_method_is_named_by_file_and_field() {
    let cases = [
        ("type = \"api_key\"", "type = \"api_kee\"", "api_kee"),
        ("title = \"API key\"", "titel = \"API key\"", "title"),
        ("send = {", "sent = {", "send"),
        ("title = \"API key\"", "title = \"API key\"\nsecret = true", "secret"),
        ("headers = {", "heders = {", "heders"),
        ("{api_key}", "{api_kee}", "methods.key.send: there is no field `api_kee`"),
        ("send = { headers = { X-Api-Key = \"{api_key}\" } }", "send = {}", "methods.key.send"),
        ("title = \"API key\"", "title = \"API key\"\naccount_field = \"api_key\"", "methods.key.account_field"),
        ("[methods.key]", "[methods.oauth2]", "methods.oauth2"),
        (
            "title = \"API key\"",
            "title = \"x\"\nidentity = { url = \"https://evil.example/me\", account_id = \"id\" }",
            "methods.key.identity.url",
        ),
        ("title = \"API key\"", "title = \"x\"\nfields = [{ name = \"api_key\", title = \"x\", pattern = \"(\" }]", "no pattern"),
        (KEY, "", "no way to connect"),
        (KEY, "[methods.tv]\ntype = \"device\"\ntitle = \"TV\"\ndevice_url = \"https://vendor.example/device\"", "methods.tv"),
        (
            KEY,
            "[methods.app]\ntype = \"client_credentials\"\ntitle = \"App\"\ntoken_url = \"https://{tenant}/token\"",
            "methods.app.token_url",
        ),
    ];
    for (right, wrong, mention) in cases {
        let text = format!("{HEAD}{KEY}").replacen(right, wrong, 1);
        let error = Manifest::parse("vendor.toml", &text).err().unwrap_or_else(|| panic!("{wrong} is refused")).to_string();
        assert!(error.contains("vendor.toml") && error.contains(mention), "{wrong}: {error}");
    }
}
