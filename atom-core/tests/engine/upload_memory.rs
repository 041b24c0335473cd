//! How much memory an upload takes in the process that sends it, which holds a piece of the content and never the whole.
#![allow(clippy::print_stdout)] // what was measured is said

use super::uploads::{PIECE, content, film, microsoft, moved, person};
use super::*;
use crate::process::*;
use serde::{Deserialize, Serialize};
use std::path::PathBuf;

const PROCESS: &str = "engine::upload_memory::process";
const MEBIBYTE: usize = 1024 * 1024;
const SIZE: usize = 200 * MEBIBYTE;
const MEMORY: usize = 64 * MEBIBYTE;

/// A process that uploads through Ada's connection. The vendor is in the test's own.
#[derive(Serialize, Deserialize)]
struct Part {
    database: String,
    vendor: String,
    user: UserId,
    workspace: WorkspaceId,
    connection: ConnectionId,
    folder: PathBuf,
}

impl Assignment for Part {
    fn test(&self) -> &'static str {
        PROCESS
    }

    fn number(&self) -> i64 {
        1
    }

    fn log(&self) -> std::fs::File {
        std::fs::File::options().create(true).append(true).open(self.folder.join("upload.log")).unwrap()
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn process() {
    let Some(part) = assignment::<Part>(PROCESS) else { return };
    let builder = Atom::builder(&part.database).key(LocalKey::from_base64(&KEY.into()).unwrap());
    let atom = builder.provider(moved("microsoft", &part.vendor)).open().await.unwrap();
    let scope = atom.act_as(part.user, part.workspace).await.unwrap();
    let files = scope.connections().open(part.connection).await.unwrap().files();
    let upload = files.begin_upload(film(SIZE)).await.unwrap();
    let written = content(MEBIBYTE);
    let memory = Memory::watch();
    for _ in 0..SIZE / MEBIBYTE {
        upload.write(Bytes(written.clone())).await.unwrap();
        say("written");
    }
    assert_eq!(upload.finish().await.unwrap().size, Some(SIZE as i64));
    if let Some(memory) = memory {
        say(format!("took {}", memory.growth()));
    }
    say("done");
}

on_both!(two_hundred_megabytes_are_sent_with_one_piece_in_memory, |database| async move {
    let ada = person(&database, "microsoft", microsoft).await;
    let who = ada.scope.principal();
    let part = Part {
        database: database.url.clone(),
        vendor: ada.server.url.clone(),
        user: who.user_id,
        workspace: who.workspace_id,
        connection: ada.connection.id(),
        folder: database.folder.path().into(),
    };
    let mut process = Process::start(&part);
    loop {
        let said = process.hear().await;
        if let Some(growth) = said.strip_prefix("took ") {
            println!("{growth} bytes while it was sent");
            assert!(growth.parse::<usize>().unwrap() < MEMORY, "it took {growth} bytes");
        }
        if said == "done" {
            break;
        }
    }
    process.stop().await;
    let got = ada.got.lock().unwrap();
    assert_eq!((got.longest, got.count, got.content.len()), (PIECE, SIZE.div_ceil(PIECE), SIZE));
});
