//! What a new password has to be.

use super::*;
use crate::receiver::Receiver;

/// Of this password the SHA-1 is `ABF7A`, and the rest.
const LEAKED: &str = "correct horse battery staple";
const REST: &str = "AD6438836DBE526AA231ABDE2D0EEF74D42";

async fn refusal(atom: &Atom, password: &str) -> &'static str {
    reason(atom.accounts().sign_up(NewAccount { password: password.into(), ..account("ada@example.com") }).await)
}

on_both!(p02_what_everybody_tries_is_refused, |database| async move {
    let atom = database.builder().min_password_length(8).app_name("Acme Engines").open().await.unwrap();
    for password in
        ["password", "PASSWORD", "1q2w3e4r", "12345678901", "hunter2hunter2hunter2", "ada@example.com", "Acme Engines"]
    {
        assert_eq!(refusal(&atom, password).await, "common_password", "{password}");
    }
    assert_eq!(refusal(&atom, "kq7xw2m").await, "weak_password");
    let (_, scope) = sign_up(&atom, "ada@example.com").await;
    let change = |new: &str| {
        let (password, new) = (scope.password(), Secret::from(new));
        async move { password.change(PASSWORD.into(), new).await }
    };
    assert_eq!(reason(change("Ada@Example.com").await), "common_password");
    assert_eq!(reason(change("kq7xw2m").await), "weak_password");
    change("kq7xw2mz").await.expect("no letter is asked for, nor a digit");
});

on_both!(p02_of_a_password_five_digits_of_its_hash_leave_the_process, |database| async move {
    let list = Receiver::start().await;
    let builder = database.builder().breached_passwords(BreachedPasswords::FailClosed);
    let atom = builder.breached_passwords_url(list.url("/range/")).open().await.unwrap();
    let others = "0018A45C4D1DEF81644B54AB7F969B88D65:1\r\n00D4F6E8FA6EECAD2A3AA415EEC418D38EC:2\r\n";
    list.once(200, "", &format!("{others}{REST}:3\r\n"));
    assert_eq!(refusal(&atom, LEAKED).await, "breached_password");
    list.once(200, "", &format!("{others}{}:4\r\n", REST.to_lowercase()));
    assert_eq!(refusal(&atom, LEAKED).await, "breached_password");
    // What is only there to make the answer as long as others counts nought.
    list.once(200, "", &format!("{others}{REST}:0\r\n"));
    atom.accounts().sign_up(NewAccount { password: LEAKED.into(), ..account("ada@example.com") }).await.unwrap();

    // What is refused anyway is not looked up.
    assert_eq!(refusal(&atom, "passwordpassword").await, "common_password");
    let asked = list.wait_for(3).await;
    assert_eq!(asked.len(), 3);
    for request in asked {
        assert_eq!((request.method.as_str(), request.path.as_str()), ("GET", "/range/ABF7A"));
        assert_eq!((request.headers["add-padding"].as_str(), request.body.len()), ("true", 0));
        let headers = format!("{:?}", request.headers).to_lowercase();
        assert!(!headers.contains(&REST.to_lowercase()) && !headers.contains("ada"), "{headers}");
    }
});

on_both!(p02_where_the_list_cannot_be_asked_the_host_has_said_what_to_do, |database| async move {
    let list = Receiver::start().await;
    let opened = |url: String, lookup| database.builder().breached_passwords(lookup).breached_passwords_url(url).open();
    let down = "http://127.0.0.1:9/range/".to_owned();
    for url in [down.clone(), list.url("/range/")] {
        list.always(503);
        let closed = opened(url, BreachedPasswords::FailClosed).await.unwrap();
        let refused = closed.accounts().sign_up(account("ada@example.com")).await.err().expect("refused");
        assert_eq!((refused.kind(), refused.reason()), (ErrorKind::Unavailable, "breach_check_failed"));
        assert!(refused.is_retryable());
    }
    let open = opened(down.clone(), BreachedPasswords::FailOpen).await.unwrap();
    sign_up(&open, "ada@example.com").await;
    let off = opened(down, BreachedPasswords::Off).await.unwrap();
    sign_up(&off, "bob@example.com").await;
});
