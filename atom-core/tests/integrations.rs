//! Files, mail and calendar, as typed records.

use crate::support::*;
use atom_core::*;

fn file(name: &str, content: &str) -> NewFile {
    NewFile {
        name: name.into(),
        content: Bytes::from(content.as_bytes()),
        mime_type: Some("text/plain".into()),
        ..Default::default()
    }
}

on_both!(files_are_stored_listed_in_pages_found_and_read, |database| async move {
    let (atom, google) = database.with_google().await;
    let (_, scope) = sign_up(&atom, "ada@example.com").await;
    let files = connect(&scope, &google, "ada@gmail.example").await.files();
    for i in 0..5 {
        let stored = files.upload(file(&format!("note {i}.txt"), &format!("it's number {i}"))).await.unwrap();
        assert_eq!((stored.size, stored.is_folder, stored.deleted), (Some(13), false, false));
        assert_eq!(stored.raw.json().unwrap()["size"], "13", "the raw record is the provider's own, numbers as text and all");
    }
    let mut seen = Vec::new();
    let mut filter = ListFiles { folder_id: Some("root".into()), page_size: Some(2), ..Default::default() };
    loop {
        let page = files.list(filter.clone()).await.unwrap();
        assert!(page.items.len() <= 2);
        seen.extend(page.items.into_iter().map(|f| f.name));
        match page.next_cursor {
            Some(cursor) => filter.cursor = Some(cursor),
            None => break,
        }
    }
    assert_eq!(seen, ["note 0.txt", "note 1.txt", "note 2.txt", "note 3.txt", "note 4.txt"]);

    let found = ListFiles { search: Some("it's number 3".into()), ..Default::default() };
    let found = files.list(found).await.unwrap().items;
    assert_eq!(found.len(), 1, "a quote in a search stays inside it");
    assert_eq!(files.get(found[0].id.clone()).await.unwrap(), found[0]);
    assert_eq!(files.download(found[0].id.clone()).await.unwrap(), Bytes::from("it's number 3".as_bytes()));
});

on_both!(what_is_not_there_or_not_well_formed_is_a_typed_error, |database| async move {
    let (atom, google) = database.with_google().await;
    let (_, scope) = sign_up(&atom, "ada@example.com").await;
    let files = connect(&scope, &google, "ada@gmail.example").await.files();
    let missing = files.get("none".into()).await.err().unwrap();
    assert_eq!((missing.kind(), missing.status()), (ErrorKind::NotFound, Some(404)));
    for id in ["", "..", "../../x", "a/b", "%2e%2e"] {
        let error = files.get(id.into()).await.err().unwrap();
        assert!(matches!(error.kind(), ErrorKind::NotFound | ErrorKind::Invalid), "{id}: {error:?}");
    }
    let too_many = ListFiles { page_size: Some(0), ..Default::default() };
    assert_eq!(files.list(too_many).await.err().unwrap().reason(), "malformed_page_size");
    assert_eq!(files.upload(file("", "x")).await.err().unwrap().reason(), "missing_input");
});

on_both!(reads_are_repeated_and_writes_are_not, |database| async move {
    let (atom, google) = database.with_google().await;
    let (_, scope) = sign_up(&atom, "ada@example.com").await;
    let files = connect(&scope, &google, "ada@gmail.example").await.files();
    google.fail_next("/drive/v3/files".into(), 503, 2).await.unwrap();
    files.list(ListFiles::default()).await.unwrap();
    assert_eq!(google.hits("/drive/v3/files".into()).await.unwrap(), 3);

    google.fail_next("/upload".into(), 503, 1).await.unwrap();
    assert_eq!(files.upload(file("a", "b")).await.err().unwrap().kind(), ErrorKind::Unavailable);
    assert_eq!(google.hits("/upload/drive/v3/files".into()).await.unwrap(), 1);
});

on_both!(mail_is_sent_listed_and_read, |database| async move {
    let (atom, google) = database.with_google().await;
    let (_, scope) = sign_up(&atom, "ada@example.com").await;
    let mail = connect(&scope, &google, "ada@gmail.example").await.mail();
    let message = NewMessage {
        to: vec!["Bob <bob@example.com>".into(), "eve@example.com".into()],
        subject: "Grüße aus London".into(),
        text: "Hello = goodbye, naïve friend".into(),
        html: Some("<p>Hello</p>".into()),
        ..Default::default()
    };
    let sent = mail.send(message).await.unwrap();
    assert_eq!(
        sent.to,
        [
            MailAddress { email: "bob@example.com".into(), name: Some("Bob".into()) },
            MailAddress { email: "eve@example.com".into(), name: None }
        ]
    );
    assert_eq!(sent.text.as_deref().map(str::trim_end), Some("Hello = goodbye, naïve friend"));
    assert_eq!(sent.sender.as_ref().map(|s| s.email.as_str()), Some("ada@gmail.example"));
    assert!(sent.sent_at.is_some() && !sent.unread && !sent.deleted);
    let listed = mail.list(ListMessages { label: Some("SENT".into()), ..Default::default() }).await.unwrap();
    assert_eq!(listed.items, std::slice::from_ref(&sent));
    assert_eq!(mail.get(sent.id.clone()).await.unwrap(), sent);
});

on_both!(events_are_created_and_listed_in_order, |database| async move {
    let (atom, google) = database.with_google().await;
    let (_, scope) = sign_up(&atom, "ada@example.com").await;
    let calendar = connect(&scope, &google, "ada@gmail.example").await.calendar();
    let event = |title: &str, starts: EventTime, ends: EventTime| NewEvent {
        title: title.into(),
        starts,
        ends,
        calendar_id: None,
        description: Some("bring the engine".into()),
        location: None,
        attendees: Some(vec![Attendee { email: "bob@example.com".into(), name: None, response: None }]),
        recurrence: None,
    };
    let at = |at: &str| EventTime::Moment { at: at.parse().unwrap(), time_zone: Some("Europe/London".into()) };
    let day = |date: &str| EventTime::Day { date: date.into() };
    let lunch = calendar.create_event(event("Lunch", at("2026-11-22T12:00:00Z"), at("2026-11-22T13:00:00Z"))).await.unwrap();
    calendar.create_event(event("Holiday", day("2026-11-21"), day("2026-11-22"))).await.unwrap();
    assert_eq!(lunch.starts, Some(at("2026-11-22T12:00:00Z")));
    assert_eq!(lunch.attendees[0].response, Some(AttendeeResponse::Waiting));

    let all = ListEvents::default();
    let titles = |page: CalendarEventPage| page.items.into_iter().filter_map(|e| e.title).collect::<Vec<_>>();
    assert_eq!(titles(calendar.list_events(all.clone()).await.unwrap()), ["Holiday", "Lunch"]);
    let later = ListEvents { starts_after: Some("2026-11-22T00:30:00Z".parse().unwrap()), ..all };
    assert_eq!(titles(calendar.list_events(later).await.unwrap()), ["Lunch"]);
});

on_both!(files_are_put_into_folders_renamed_and_thrown_away, |database| async move {
    let (atom, google) = database.with_google().await;
    let (_, scope) = sign_up(&atom, "ada@example.com").await;
    let files = connect(&scope, &google, "ada@gmail.example").await.files();
    let folder = files.create_folder(NewFolder { name: "Letters".into(), folder_id: None }).await.unwrap();
    assert!(folder.is_folder);
    let stored = files.upload(NewFile { folder_id: Some(folder.id.clone()), ..file("draft", "Dear Bob") }).await.unwrap();
    assert_eq!(stored.folder_id, Some(folder.id.clone()));
    let owner = Person { id: None, name: Some("ada".into()), email: Some("ada@gmail.example".into()) };
    assert_eq!((stored.owner, stored.checksum.map(|sum| sum.len())), (Some(owner), Some(64)));

    let renamed = files.update(stored.id.clone(), FilePatch { name: Some("letter".into()), folder_id: None }).await.unwrap();
    assert_eq!((renamed.name.as_str(), renamed.folder_id), ("letter", Some(folder.id.clone())));

    let other = files.create_folder(NewFolder { name: "Drawer".into(), folder_id: None }).await.unwrap();
    let patch = FilePatch { folder_id: Some(other.id.clone()), ..Default::default() };
    let moved = files.update(stored.id.clone(), patch).await.unwrap();
    assert_eq!((moved.name.as_str(), moved.folder_id), ("letter", Some(other.id)), "it left the folder that it was in");
    let back = FilePatch { folder_id: Some(folder.id.clone()), ..Default::default() };
    files.update(stored.id.clone(), back).await.unwrap();

    files.remove(stored.id.clone()).await.unwrap();
    let inside = ListFiles { folder_id: Some(folder.id), ..Default::default() };
    assert!(files.list(inside).await.unwrap().items.is_empty());
    assert!(files.get(stored.id).await.unwrap().deleted, "it is in the bin, and can be taken out");
    assert_eq!(files.remove("none".into()).await.err().unwrap().kind(), ErrorKind::NotFound);
    assert_eq!(files.create_folder(NewFolder::default()).await.err().unwrap().reason(), "missing_input");
});

on_both!(messages_are_marked_labelled_and_thrown_away, |database| async move {
    let (atom, google) = database.with_google().await;
    let (_, scope) = sign_up(&atom, "ada@example.com").await;
    let mail = connect(&scope, &google, "ada@gmail.example").await.mail();
    let letter =
        NewMessage { to: vec!["bob@example.com".into()], subject: "Hi".into(), text: "Hello".into(), ..Default::default() };
    let id = mail.send(letter).await.unwrap().id;
    let starred = MailMessagePatch { unread: Some(true), add_labels: Some(vec!["STARRED".into()]), ..Default::default() };
    let changed = mail.update(id.clone(), starred).await.unwrap();
    assert_eq!((changed.unread, changed.labels), (true, vec!["SENT".to_owned(), "STARRED".into(), "UNREAD".into()]));
    let read = MailMessagePatch { unread: Some(false), remove_labels: Some(vec!["STARRED".into()]), ..Default::default() };
    let changed = mail.update(id.clone(), read).await.unwrap();
    assert_eq!((changed.unread, changed.labels), (false, vec!["SENT".to_owned()]));
    let moved = MailMessagePatch { folder_id: Some("INBOX".into()), ..Default::default() };
    let error = mail.update(id.clone(), moved).await.err().unwrap();
    assert_eq!((error.kind(), error.reason()), (ErrorKind::Unsupported, "unsupported_input"), "labels are no folders");

    mail.remove(id.clone()).await.unwrap();
    let sent = ListMessages { label: Some("SENT".into()), ..Default::default() };
    assert!(mail.list(sent).await.unwrap().items.is_empty());
    assert!(mail.get(id).await.unwrap().deleted);
    let folders = mail.list_folders(Paging::default()).await.unwrap().items;
    assert!(folders.iter().any(|folder| folder.id == "INBOX" && folder.provider == "google"));
});

on_both!(events_are_read_changed_and_deleted, |database| async move {
    let (atom, google) = database.with_google().await;
    let (_, scope) = sign_up(&atom, "ada@example.com").await;
    let calendar = connect(&scope, &google, "ada@gmail.example").await.calendar();
    let at = |at: &str| EventTime::Moment { at: at.parse().unwrap(), time_zone: None };
    let day = |date: &str| EventTime::Day { date: date.into() };
    let walk = NewEvent {
        title: "Walk".into(),
        starts: day("2026-11-21"),
        ends: day("2026-11-22"),
        calendar_id: None,
        description: Some("to the river".into()),
        location: None,
        attendees: None,
        recurrence: Some(vec!["RRULE:FREQ=WEEKLY".into()]),
    };
    let walk = calendar.create_event(walk).await.unwrap();
    assert_eq!((walk.status, walk.recurrence.len()), (Some(EventStatus::Confirmed), 1));
    assert_eq!(walk.organizer.as_ref().and_then(|who| who.email.as_deref()), Some("ada@gmail.example"));
    let main = calendar.list_calendars(Paging::default()).await.unwrap().items.remove(0);
    assert!(main.is_primary);
    assert_eq!(calendar.get_event(walk.id.clone(), Some(main.id)).await.unwrap(), walk);

    let noon = EventPatch {
        starts: Some(at("2026-11-21T12:00:00Z")),
        ends: Some(at("2026-11-21T13:00:00Z")),
        title: Some("Short walk".into()),
        ..Default::default()
    };
    let changed = calendar.update_event(walk.id.clone(), noon).await.unwrap();
    assert_eq!((changed.title.as_deref(), changed.starts), (Some("Short walk"), Some(at("2026-11-21T12:00:00Z"))));
    assert_eq!(changed.description, walk.description, "what is left out stays as it is");
    let backwards = EventPatch { starts: Some(day("2026-11-22")), ends: Some(day("2026-11-21")), ..Default::default() };
    assert_eq!(calendar.update_event(walk.id.clone(), backwards).await.err().unwrap().reason(), "malformed_event_time");

    calendar.delete_event(walk.id.clone(), None).await.unwrap();
    assert!(calendar.list_events(ListEvents::default()).await.unwrap().items.is_empty());
    assert_eq!(calendar.get_event(walk.id, None).await.unwrap().status, Some(EventStatus::Cancelled));
});

on_both!(what_a_provider_lacks_fails_before_anything_is_sent, |database| async move {
    let (atom, google) = database.with_google().await;
    let (_, scope) = sign_up(&atom, "ada@example.com").await;
    let connection = connect(&scope, &google, "ada@gmail.example").await;
    let error = connection.tasks().list(ListTasks::default()).await.err().unwrap();
    assert_eq!((error.kind(), error.reason()), (ErrorKind::Unsupported, "unsupported_operation"));
    let error = connection.payments().refund(NewRefund { payment_id: "x".into(), ..Default::default() }).await.err().unwrap();
    assert_eq!((error.kind(), error.provider()), (ErrorKind::Unsupported, Some("google")));
});
