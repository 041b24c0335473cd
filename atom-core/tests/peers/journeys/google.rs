//! The Google of `emulate`.
//!
//! | where it does less than Google | what is done |
//! | --- | --- |
//! | the token, revocation and user info endpoints have other paths | the script has them at Google's |
//! | an unknown bearer token counts as the first user's | nobody connects that account, so that a wrong token is noticed |
//! | access tokens never expire, and outlive their grant | the refresh token of a revoked grant is tried |
//! | the code's refresh token is not rotated | rotation is tested at `oidc-provider` |
//! | `fullText` in a Drive query and `singleEvents` are not looked at | neither is tested |
//! | names of uploaded files and headers of messages come back undecoded | those here are ASCII |
//! | `trashed` of a file is not written, and `files.delete` is not there | deleting a file is not tested |
//! | `events.get` and `events.patch` are not there | an event is read in the list, and not changed |

use super::super::server::{Server, Visit};
use super::{SECRET, was_whole};
use crate::peers::browser::{Choice, forms, visit};
use crate::peers::skipped;
use crate::support::*;
use atom_core::*;
use chrono::TimeDelta;
use std::sync::OnceLock;
use std::sync::atomic::{AtomicUsize, Ordering};

/// One account that no other test has.
struct Google {
    visit: Visit,
    email: String,
}

impl Google {
    fn account() -> Option<Self> {
        static SERVER: OnceLock<Option<Server>> = OnceLock::new();
        static ACCOUNTS: AtomicUsize = AtomicUsize::new(0);
        let visit = Visit(SERVER.get_or_init(|| Server::start("google.mjs")).as_ref()?);
        Some(Self { visit, email: format!("user-{}@example.com", ACCOUNTS.fetch_add(1, Ordering::Relaxed)) })
    }

    fn app(&self) -> ProviderApp {
        ProviderApp {
            provider: "google".into(),
            client_id: "atom.apps.googleusercontent.com".into(),
            client_secret: Some(SECRET.into()),
            redirect_uri: "https://app.example.com/callback/google".into(),
            development_endpoint: Some(self.visit.0.url.clone()),
            export_tokens: Some(true),
            ..Default::default()
        }
    }

    async fn connect(&self, scope: &Scope) -> Connection {
        let authorization = scope.connections().start(start("google")).await.unwrap();
        let answer = |page: &str| {
            let mine = forms(page).into_iter().find(|form| form.fields["email"] == self.email);
            Choice::Submit(mine.unwrap_or_else(|| panic!("{} is not among: {page}", self.email)))
        };
        let callback = visit(&authorization.url, answer).await;
        scope.connections().complete(callback).await.unwrap()
    }
}

on_both!(an_account_is_connected_refreshed_and_revoked, |database| async move {
    let Some(google) = Google::account() else { return skipped() };
    let clock = TestClock::new();
    let atom = database.builder().clock(clock.clone()).provider(google.app()).open().await.unwrap();
    let (session, scope) = sign_up(&atom, "ada@example.com").await;
    let connection = google.connect(&scope).await;
    let account = connection.account().await.unwrap();
    assert_eq!(account.email.as_deref(), Some(google.email.as_str()));
    assert_eq!(account.facts["hosted_domain"], "example.com");
    assert!(account.scopes.iter().any(|s| s == "https://www.googleapis.com/auth/gmail.modify"), "{:?}", account.scopes);

    let before = connection.access_token().await.unwrap().token;
    for _ in 0..2 {
        clock.advance(TimeDelta::hours(2));
        let after = connection.access_token().await.expect("the one refresh token serves every time");
        assert_ne!(before.expose(), after.token.expose());
        assert_eq!(after.scopes, account.scopes);
    }
    atom.shut_down().await.unwrap();

    let backup = database.copy().await;
    let [atom, restored] = [&database, &backup].map(|d| d.builder().clock(clock.clone()).provider(google.app()).open());
    let (atom, restored) = (atom.await.unwrap(), restored.await.unwrap());
    clock.advance(TimeDelta::hours(2));
    for (atom, revokes) in [(&atom, true), (&restored, false)] {
        let scope = atom.act_as(session.user.id, session.workspace.id).await.unwrap();
        let connection = scope.connections().open(connection.id()).await.unwrap();
        if revokes {
            connection.revoke().await.unwrap();
        } else {
            let error = connection.access_token().await.err().unwrap();
            assert_eq!(error.reason(), "invalid_grant", "the refresh token is dead at Google, not only here");
        }
    }
});

on_both!(files_are_stored_listed_in_pages_read_renamed_and_moved, |database| async move {
    let Some(google) = Google::account() else { return skipped() };
    let atom = database.builder().provider(google.app()).open().await.unwrap();
    let (_, scope) = sign_up(&atom, "ada@example.com").await;
    let connection = google.connect(&scope).await;
    let files = connection.files();
    let content = Bytes((0..=255).collect());
    for name in ["one.bin", "two.bin", "\"three\".bin"] {
        let file = NewFile { name: name.into(), content: content.clone(), folder_id: Some("root".into()), ..Default::default() };
        let stored = files.upload(file).await.unwrap();
        assert_eq!((stored.name.as_str(), stored.size, stored.is_folder), (name, Some(256), false));
        assert_eq!((stored.mime_type.as_deref(), stored.folder_id.as_deref()), (Some("application/octet-stream"), Some("root")));
        assert!(stored.created_at.is_some() && stored.web_url.is_some() && !stored.deleted);
        assert_eq!(files.get(stored.id.clone()).await.unwrap(), stored);
        assert_eq!(files.download(stored.id).await.unwrap(), content);
    }
    let mut filter = ListFiles { folder_id: Some("root".into()), page_size: Some(2), ..Default::default() };
    let first = files.list(filter.clone()).await.unwrap();
    filter.cursor = first.next_cursor;
    let second = files.list(filter).await.unwrap();
    assert_eq!((first.items.len(), second.items.len(), second.next_cursor), (2, 1, None));
    assert_eq!(second.items[0].name, "\"three\".bin");
    let elsewhere = ListFiles { folder_id: Some("another".into()), ..Default::default() };
    assert!(files.list(elsewhere).await.unwrap().items.is_empty());

    let folder = NewFolder { name: "drawings".into(), folder_id: Some("root".into()) };
    let folder = files.create_folder(folder).await.unwrap();
    assert_eq!((folder.is_folder, folder.folder_id.as_deref()), (true, Some("root")));
    let file = second.items[0].clone();
    let renamed = files.update(file.id.clone(), FilePatch { name: Some("four.bin".into()), folder_id: None }).await.unwrap();
    assert_eq!((renamed.name.as_str(), renamed.size, &renamed.folder_id), ("four.bin", Some(256), &file.folder_id));
    let moved = files.update(file.id.clone(), FilePatch { name: None, folder_id: Some(folder.id.clone()) }).await.unwrap();
    assert_eq!((moved.name.as_str(), moved.folder_id.as_ref()), ("four.bin", Some(&folder.id)));
    assert_eq!(files.get(file.id.clone()).await.unwrap(), moved);
    assert_eq!(files.download(file.id).await.unwrap(), content);
    let inside = ListFiles { folder_id: Some(folder.id), ..Default::default() };
    assert_eq!(files.list(inside).await.unwrap().items, [moved]);

    let missing = files.get("none".into()).await.err().unwrap();
    assert_eq!((missing.kind(), missing.status()), (ErrorKind::NotFound, Some(404)));
    assert!(missing.to_string().contains("notFound"), "{missing}");
    was_whole("google::files_are_stored_listed_in_pages_read_renamed_and_moved", &connection).await;
});

on_both!(mail_is_sent_listed_read_changed_and_deleted, |database| async move {
    let Some(google) = Google::account() else { return skipped() };
    let atom = database.builder().provider(google.app()).open().await.unwrap();
    let (_, scope) = sign_up(&atom, "ada@example.com").await;
    let connection = google.connect(&scope).await;
    let mail = connection.mail();
    let message = NewMessage {
        to: vec!["Bob <bob@example.com>".into()],
        subject: "Engine".into(),
        text: "Hello = goodbye, naïve friend".into(),
        html: Some("<p>Hello</p>".into()),
        cc: Some(vec!["eve@example.com".into()]),
        ..Default::default()
    };
    let sent = mail.send(message.clone()).await.unwrap();
    assert_eq!(sent.subject.as_deref(), Some("Engine"));
    assert_eq!(sent.sender.as_ref().map(|s| s.email.as_str()), Some(google.email.as_str()));
    assert_eq!(sent.to, [MailAddress { email: "bob@example.com".into(), name: Some("Bob".into()) }]);
    assert_eq!(sent.cc, [MailAddress { email: "eve@example.com".into(), name: None }]);
    assert_eq!(sent.text.as_deref().map(str::trim_end), Some("Hello = goodbye, naïve friend"));
    assert_eq!(sent.html.as_deref().map(str::trim_end), Some("<p>Hello</p>"));
    assert!(sent.labels.contains(&"SENT".to_owned()) && sent.sent_at.is_some() && !sent.unread);

    let answer = NewMessage { subject: "Re: Engine".into(), thread_id: sent.thread_id.clone(), ..message };
    let answer = mail.send(answer).await.unwrap();
    assert_eq!(answer.thread_id, sent.thread_id);
    let mut filter =
        ListMessages { search: Some("subject:engine".into()), label: Some("SENT".into()), page_size: Some(1), cursor: None };
    let first = mail.list(filter.clone()).await.unwrap();
    filter.cursor = first.next_cursor;
    let second = mail.list(filter).await.unwrap();
    assert_eq!(second.next_cursor, None);
    let listed: Vec<_> = first.items.into_iter().chain(second.items).collect();
    assert!(listed.len() == 2 && listed.contains(&sent) && listed.contains(&answer), "{listed:?}");

    let folders = mail.list_folders(Paging::default()).await.unwrap().items;
    assert!(folders.iter().any(|folder| folder.id == "INBOX"), "{folders:?}");
    let starred = MailMessagePatch { unread: Some(true), add_labels: Some(vec!["STARRED".into()]), ..Default::default() };
    let starred = mail.update(sent.id.clone(), starred).await.unwrap();
    assert!(starred.unread && starred.labels.contains(&"STARRED".to_owned()), "{:?}", starred.labels);
    assert_eq!((&starred.subject, &starred.text), (&sent.subject, &sent.text));
    let read = MailMessagePatch { unread: Some(false), remove_labels: Some(vec!["STARRED".into()]), ..Default::default() };
    assert_eq!(mail.update(sent.id.clone(), read).await.unwrap().labels, sent.labels);
    mail.remove(sent.id.clone()).await.unwrap();
    assert!(mail.get(sent.id).await.unwrap().deleted);

    let missing = mail.get("none".into()).await.err().unwrap();
    assert_eq!((missing.kind(), missing.status()), (ErrorKind::NotFound, Some(404)));
    was_whole("google::mail_is_sent_listed_read_changed_and_deleted", &connection).await;
});

on_both!(events_are_created_listed_in_order_and_deleted, |database| async move {
    let Some(google) = Google::account() else { return skipped() };
    let atom = database.builder().provider(google.app()).open().await.unwrap();
    let (_, scope) = sign_up(&atom, "ada@example.com").await;
    let connection = google.connect(&scope).await;
    let calendar = connection.calendar();
    let at = |at: &str| EventTime::Moment { at: at.parse().unwrap(), time_zone: Some("UTC".into()) };
    let day = |date: &str| EventTime::Day { date: date.into() };
    let event = |title: &str, starts: EventTime, ends: EventTime| NewEvent {
        title: title.into(),
        starts,
        ends,
        calendar_id: None,
        description: Some("bring the engine".into()),
        location: Some("London".into()),
        attendees: Some(vec![Attendee { email: "bob@example.com".into(), name: Some("Bob".into()), response: None }]),
        recurrence: None,
    };
    let lunch = calendar.create_event(event("Lunch", at("2030-03-02T12:00:00Z"), at("2030-03-02T13:00:00Z"))).await.unwrap();
    let trip = calendar.create_event(event("Trip", day("2030-03-01"), day("2030-03-02"))).await.unwrap();
    assert_eq!((&lunch.starts, &lunch.ends), (&Some(at("2030-03-02T12:00:00Z")), &Some(at("2030-03-02T13:00:00Z"))));
    assert_eq!((&trip.starts, &trip.ends), (&Some(day("2030-03-01")), &Some(day("2030-03-02"))));
    assert_eq!((lunch.location.as_deref(), lunch.attendees[0].name.as_deref()), (Some("London"), Some("Bob")));

    let after = "2030-01-01T00:00:00Z".parse().unwrap();
    let mut filter = ListEvents { starts_after: Some(after), page_size: Some(1), ..Default::default() };
    let first = calendar.list_events(filter.clone()).await.unwrap();
    filter.cursor = first.next_cursor;
    let second = calendar.list_events(filter.clone()).await.unwrap();
    assert_eq!((first.items, second.items, second.next_cursor), (vec![trip], vec![lunch.clone()], None));

    filter = ListEvents { search: Some("lunch".into()), ..Default::default() };
    assert_eq!(calendar.list_events(filter.clone()).await.unwrap().items, std::slice::from_ref(&lunch));
    let calendars = calendar.list_calendars(Paging::default()).await.unwrap().items;
    assert!(calendars.iter().any(|calendar| calendar.is_primary), "{calendars:?}");
    calendar.delete_event(lunch.id.clone(), None).await.unwrap();
    assert!(calendar.list_events(filter.clone()).await.unwrap().items.is_empty());
    let again = calendar.delete_event(lunch.id, None).await.err().unwrap();
    assert_eq!(again.kind(), ErrorKind::NotFound);
    filter.calendar_id = Some("none".into());
    assert_eq!(calendar.list_events(filter).await.err().unwrap().kind(), ErrorKind::NotFound);
    was_whole("google::events_are_created_listed_in_order_and_deleted", &connection).await;
});
