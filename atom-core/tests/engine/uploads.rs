//! Uploads in pieces, against doubles that speak each vendor's protocol.

use super::server::{Asked, Reply, Server, json as answers, status};
use super::*;
use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use sha1::{Digest, Sha1};
use std::sync::{Arc, Mutex};

/// What a vendor has got.
#[derive(Default)]
pub(super) struct Got {
    pub(super) content: Vec<u8>,
    parts: Vec<Value>,
    /// What happens to the next pieces, in order.
    fates: Vec<Fate>,
    pub(super) count: usize,
    pub(super) longest: usize,
}

#[derive(Clone, Copy)]
enum Fate {
    /// It is taken, and the answer is a fault.
    Lost,
    /// Only so many bytes of it are taken.
    Partial(usize),
    /// It is not taken.
    Status(u16),
}

impl Got {
    fn fate(&mut self) -> Option<Fate> {
        (!self.fates.is_empty()).then(|| self.fates.remove(0))
    }
}

pub(super) type World = Arc<Mutex<Got>>;

pub(super) struct Person {
    pub(super) connection: Connection,
    pub(super) scope: Scope,
    pub(super) server: Server,
    pub(super) got: World,
    _atom: Atom,
}

/// A built-in provider that is really at another address.
pub(super) fn moved(provider: &str, to: &str) -> ProviderApp {
    ProviderApp {
        provider: provider.into(),
        client_id: "c".into(),
        client_secret: Some("s".into()),
        redirect_uri: "https://app.example.com/callback".into(),
        development_endpoint: Some(to.into()),
        ..Default::default()
    }
}

/// Connects to a built-in provider through the browser; the vendor answers uploads as `protocol` says.
pub(super) async fn person(database: &Database, provider: &str, protocol: fn(&mut Got, &Asked, &str) -> Option<Reply>) -> Person {
    let got = World::default();
    let (there, origin) = (Arc::clone(&got), Arc::new(Mutex::new(String::new())));
    let here = Arc::clone(&origin);
    let server = Server::start(move |asked| {
        let origin = here.lock().unwrap().clone();
        protocol(&mut there.lock().unwrap(), asked, &origin).unwrap_or_else(|| {
            answers(
                json!({"access_token": "t1", "refresh_token": "r1", "expires_in": 3600, "id": "1", "sub": "1", "account_id": "1",
                "user_id": "1", "oid": "1", "tid": "1", "email": "ada@example.com", "login": "ada@example.com"}),
            )
        })
    })
    .await;
    origin.lock().unwrap().clone_from(&server.url);
    let atom = database.builder().provider(moved(provider, &server.url)).open().await.unwrap();
    let (_, scope) = sign_up(&atom, &format!("ada-{}@example.com", uuid::Uuid::now_v7())).await;
    let url = scope.connections().start(start(provider)).await.unwrap().url;
    let state = url.split_once("state=").unwrap().1.split('&').next().unwrap();
    let callback = format!("https://app.example.com/callback?code=c0de&state={state}");
    let connection = scope.connections().complete(callback).await.unwrap();
    Person { connection, scope, server, got, _atom: atom }
}

fn range(asked: &Asked) -> (usize, usize, usize) {
    let text = asked.headers["content-range"].strip_prefix("bytes ").unwrap().to_owned();
    let (part, whole) = text.split_once('/').unwrap();
    let (from, last) = part.split_once('-').unwrap();
    (from.parse().unwrap(), last.parse().unwrap(), whole.parse().unwrap())
}

pub(super) fn microsoft(got: &mut Got, asked: &Asked, origin: &str) -> Option<Reply> {
    let missing = |got: &Got| answers(json!({"nextExpectedRanges": [format!("{}-", got.content.len())]})).status(202);
    if asked.path.ends_with("createUploadSession") {
        assert!(asked.headers.contains_key("authorization"));
        return Some(answers(json!({"uploadUrl": format!("{origin}/session/1?sig=x"), "nextExpectedRanges": ["0-"]})));
    }
    if asked.path != "/session/1" {
        return None;
    }
    assert!(!asked.headers.contains_key("authorization"), "the address is the credential");
    if asked.method == "GET" {
        return Some(missing(got).status(200));
    }
    if asked.method == "DELETE" {
        return Some(status(204));
    }
    got.count += 1;
    let (from, last, whole) = range(asked);
    assert_eq!(last - from + 1, asked.body.len());
    got.longest = got.longest.max(asked.body.len());
    assert!(last + 1 == whole || asked.body.len().is_multiple_of(320 * 1024));
    if from != got.content.len() {
        return Some(status(416));
    }
    let fate = got.fate();
    match fate {
        Some(Fate::Status(code)) => return Some(status(code)),
        Some(Fate::Partial(count)) => got.content.extend_from_slice(&asked.body[..count]),
        _ => got.content.extend_from_slice(&asked.body),
    }
    if matches!(fate, Some(Fate::Lost)) {
        return Some(status(503));
    }
    if got.content.len() < whole {
        return Some(missing(got));
    }
    let item = json!({"id": "i1", "name": "film", "size": whole, "parentReference": {"driveId": "d1", "id": "root"}});
    Some(answers(item).status(201))
}

fn dropbox(got: &mut Got, asked: &Asked, _: &str) -> Option<Reply> {
    let arg = || -> Value { serde_json::from_str(&asked.headers["dropbox-api-arg"]).unwrap() };
    match asked.path.as_str() {
        "/2/files/upload_session/start" => Some(answers(json!({"session_id": "s1"}))),
        "/2/files/upload_session/append_v2" => {
            got.count += 1;
            let cursor = arg()["cursor"].clone();
            assert_eq!(cursor["session_id"], "s1");
            if cursor["offset"].as_u64() != Some(got.content.len() as u64) {
                let error = json!({".tag": "incorrect_offset", "correct_offset": got.content.len()});
                return Some(answers(json!({"error_summary": "incorrect_offset/", "error": error})).status(409));
            }
            let fate = got.fate();
            if let Some(Fate::Status(code)) = fate {
                let error = json!({"error_summary": "not_found/", "error": {".tag": "not_found"}});
                return Some(if code == 409 { answers(error).status(409) } else { status(code) });
            }
            got.content.extend_from_slice(&asked.body);
            Some(if matches!(fate, Some(Fate::Lost)) { status(503) } else { answers(Value::Null) })
        }
        "/2/files/upload_session/finish" => {
            assert_eq!(arg()["cursor"]["offset"].as_u64(), Some(got.content.len() as u64));
            assert_eq!(arg()["commit"]["path"], "/film");
            Some(answers(json!({"name": "film", "id": "id:1", "path_display": "/film", "rev": "1", "size": got.content.len()})))
        }
        _ => None,
    }
}

fn r#box(got: &mut Got, asked: &Asked, _: &str) -> Option<Reply> {
    let sha = |bytes: &[u8]| format!("sha={}", STANDARD.encode(Sha1::digest(bytes)));
    match (asked.method.as_str(), asked.path.strip_prefix("/api/2.0/files/upload_sessions")?) {
        ("POST", "") => {
            assert_eq!(asked.json()["folder_id"], "0");
            Some(answers(json!({"id": "u1", "part_size": 1000, "total_parts": 3})).status(201))
        }
        ("PUT", "/u1") => {
            got.count += 1;
            let (from, _, _) = range(asked);
            assert_eq!(asked.headers["digest"], sha(&asked.body));
            if from != got.content.len() {
                return Some(answers(json!({"code": "range_overlaps_existing_range"})).status(409));
            }
            let fate = got.fate();
            if let Some(Fate::Status(code)) = fate {
                return Some(status(code));
            }
            got.content.extend_from_slice(&asked.body);
            let part = json!({"part_id": format!("p{from}"), "offset": from, "size": asked.body.len()});
            got.parts.push(part.clone());
            Some(if matches!(fate, Some(Fate::Lost)) { status(502) } else { answers(json!({"part": part})) })
        }
        ("GET", "/u1/parts") => {
            let from = asked.number("offset", 0);
            Some(answers(json!({"entries": got.parts[from.min(got.parts.len())..], "total_count": got.parts.len()})))
        }
        ("POST", "/u1/commit") => {
            assert_eq!((&asked.headers["digest"], &asked.json()["parts"]), (&sha(&got.content), &json!(got.parts)));
            got.count += 1000;
            if got.count < 2000 {
                return Some(status(202).with("retry-after", 0));
            }
            let file = json!({"type": "file", "id": "8", "name": "film", "size": got.content.len(), "parent": {"type": "folder", "id": "0"}});
            Some(answers(json!({"total_count": 1, "entries": [file]})).status(201))
        }
        ("DELETE", "/u1") => Some(status(204)),
        _ => Some(status(404)),
    }
}

pub(super) fn content(length: usize) -> Vec<u8> {
    (0..length).map(|at| (at % 251) as u8).collect()
}

pub(super) fn film(size: usize) -> NewUpload {
    NewUpload { name: "film".into(), size: size as i64, ..Default::default() }
}

pub(super) const PIECE: usize = 9_830_400;

on_both!(a_piece_that_microsoft_took_in_part_or_whose_answer_was_lost_goes_on_where_it_came_to, |database| async move {
    let ada = person(&database, "microsoft", microsoft).await;
    let whole = content(PIECE * 2 + 17);
    ada.got.lock().unwrap().fates = vec![Fate::Partial(327_680), Fate::Lost, Fate::Status(503)];
    let upload = ada.connection.files().begin_upload(film(whole.len())).await.unwrap();
    for part in whole.chunks(7_000_001) {
        upload.write(Bytes(part.to_vec())).await.unwrap();
    }
    assert_eq!(upload.offset().await.unwrap(), whole.len() as i64);
    let file = upload.finish().await.unwrap();
    assert_eq!((file.id.as_str(), file.size), ("drives/d1/items/i1", Some(whole.len() as i64)));
    assert!(ada.got.lock().unwrap().content == whole);
    assert!(ada.server.asked().iter().any(|asked| asked.method == "GET" && asked.path == "/session/1"), "it was asked");
    assert_eq!(upload.finish().await.unwrap().id, file.id, "again is fine");
});

on_both!(dropbox_says_the_right_offset_and_the_upload_takes_it, |database| async move {
    let ada = person(&database, "dropbox", dropbox).await;
    let whole = content(8_388_608 + 5);
    ada.got.lock().unwrap().fates = vec![Fate::Lost];
    let upload = ada.connection.files().begin_upload(film(whole.len())).await.unwrap();
    upload.write(Bytes(whole.clone())).await.unwrap();
    assert_eq!(upload.finish().await.unwrap().id, "/film");
    assert!(ada.got.lock().unwrap().content == whole);
    assert_eq!(ada.got.lock().unwrap().count, 3, "one piece was offered twice, and taken once");
});

on_both!(box_gets_its_parts_with_their_digests_and_the_digest_of_the_whole, |database| async move {
    let ada = person(&database, "box", r#box).await;
    let whole = content(2500);
    ada.got.lock().unwrap().fates = vec![Fate::Status(500), Fate::Lost];
    let files = ada.connection.files();
    let upload = files.begin_upload(film(whole.len())).await.unwrap();
    upload.write(Bytes(whole[..1200].to_vec())).await.unwrap();
    assert_eq!(upload.offset().await.unwrap(), 1000);
    // Another process has the state from before the last piece, and gives everything after it once more.
    let state = upload.state().await.unwrap();
    upload.write(Bytes(whole[1200..2100].to_vec())).await.unwrap();
    let resumed = files.resume_upload(state).await.unwrap();
    let from = usize::try_from(resumed.offset().await.unwrap()).unwrap();
    resumed.write(Bytes(whole[from..].to_vec())).await.unwrap();
    assert_eq!(resumed.finish().await.unwrap().id, "files/8");
    assert!(ada.got.lock().unwrap().content == whole);
});

on_both!(an_upload_that_the_vendor_forgot_says_so, |database| async move {
    for (provider, protocol, code) in [
        ("microsoft", microsoft as fn(&mut Got, &Asked, &str) -> Option<Reply>, 404),
        ("microsoft", microsoft, 410),
        ("dropbox", dropbox, 409),
        ("box", r#box, 404),
    ] {
        let ada = person(&database, provider, protocol).await;
        ada.got.lock().unwrap().fates = vec![Fate::Status(code)];
        let upload = ada.connection.files().begin_upload(film(10)).await.unwrap();
        let error = upload.write(Bytes(content(10))).await.err().unwrap();
        assert_eq!((error.kind(), error.reason()), (ErrorKind::NotFound, "upload_expired"), "{provider}");
        upload.abort().await.unwrap();
    }
});

on_both!(pieces_go_to_no_host_that_the_manifest_does_not_name, |database| async move {
    let ada = person(&database, "microsoft", |got, asked, _| {
        let url = json!({"uploadUrl": "https://evil.example.com/session"});
        if asked.path.ends_with("createUploadSession") { Some(answers(url)) } else { microsoft(got, asked, "") }
    })
    .await;
    let error = ada.connection.files().begin_upload(film(10)).await.err().unwrap();
    assert_eq!(error.reason(), "host_not_allowed");
});

on_both!(content_beyond_a_bound_goes_in_pieces_by_itself, |database| async move {
    let ada = person(&database, "microsoft", microsoft).await;
    let whole = content(4_000_001);
    let file = NewFile { name: "film".into(), content: Bytes(whole.clone()), ..Default::default() };
    ada.connection.files().upload(file).await.unwrap();
    assert!(ada.got.lock().unwrap().content == whole);
});

on_both!(an_upload_goes_on_in_another_process_after_a_token_that_expired, |database| async move {
    let (atom, google) = database.with_google().await;
    let (session, scope) = sign_up(&atom, "ada@example.com").await;
    let connection = connect(&scope, &google, "ada@gmail.example").await;
    let other = connect(&scope, &google, "ada@work.example").await;
    let whole = content(8_388_608 * 2 + 100);
    let upload = connection.files().begin_upload(film(whole.len())).await.unwrap();
    google.lose_next("/upload".into(), 1).await.unwrap();
    upload.write(Bytes(whole[..9_000_000].to_vec())).await.unwrap();
    let state = upload.state().await.unwrap();
    assert_eq!(other.files().resume_upload(state.clone()).await.err().unwrap().reason(), "malformed_upload_state");
    assert!(!state.contains("upload_id"), "the address is sealed");
    drop((upload, atom));
    google.expire_access_tokens().await.unwrap();

    let atom = database.builder().provider(google.app()).open().await.unwrap();
    let scope = atom.act_as(session.user.id, session.workspace.id).await.unwrap();
    let files = scope.connections().open(connection.id()).await.unwrap().files();
    let upload = files.resume_upload(state).await.unwrap();
    let from = usize::try_from(upload.offset().await.unwrap()).unwrap();
    assert_eq!(from, 8_388_608);
    google.fail_next("/upload".into(), 503, 1).await.unwrap();
    upload.write(Bytes(whole[from..].to_vec())).await.unwrap();
    let file = upload.finish().await.unwrap();
    assert!(files.download(file.id).await.unwrap().0 == whole);
});
