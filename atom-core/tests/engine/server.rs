//! A vendor on loopback that answers as a test says.
#![allow(clippy::needless_pass_by_value)] // tests write values down where they are used

use crate::receiver::{Received, read_request};
use serde_json::Value;
use std::collections::HashMap;
use std::sync::{Arc, Mutex};
use std::time::Duration;
use tokio::io::{AsyncWriteExt, BufReader};
use tokio::net::{TcpListener, TcpStream};
use url::Url;

/// A request, as it came.
#[derive(Clone, Debug)]
pub(super) struct Asked {
    pub(super) method: String,
    pub(super) path: String,
    /// In the order of the address.
    pub(super) query: Vec<(String, String)>,
    pub(super) headers: HashMap<String, String>,
    pub(super) body: Vec<u8>,
}

impl Asked {
    pub(super) fn json(&self) -> Value {
        serde_json::from_slice(&self.body).unwrap()
    }

    pub(super) fn text(&self) -> String {
        String::from_utf8_lossy(&self.body).into_owned()
    }

    pub(super) fn query(&self, name: &str) -> Option<&str> {
        self.query.iter().find(|(known, _)| known == name).map(|(_, value)| value.as_str())
    }

    pub(super) fn number(&self, name: &str, otherwise: usize) -> usize {
        self.query(name).map_or(otherwise, |text| text.parse().unwrap())
    }
}

/// What is answered.
#[derive(Clone, Debug)]
pub(super) struct Reply {
    status: u16,
    headers: Vec<(String, String)>,
    body: Vec<u8>,
    /// The body comes again and again, so many times.
    times: usize,
    /// After so long each time.
    pause: Duration,
    /// The connection ends instead.
    is_lost: bool,
}

pub(super) fn json(body: Value) -> Reply {
    bytes(body.to_string().into_bytes()).with("content-type", "application/json")
}

pub(super) fn bytes(body: Vec<u8>) -> Reply {
    Reply { status: 200, headers: Vec::new(), body, times: 1, pause: Duration::ZERO, is_lost: false }
}

/// No answer: the connection ends.
pub(super) fn lost() -> Reply {
    Reply { is_lost: true, ..status(500) }
}

pub(super) fn status(status: u16) -> Reply {
    Reply { status, ..bytes(b"{}".to_vec()) }
}

impl Reply {
    pub(super) fn with(mut self, name: &str, value: impl ToString) -> Self {
        self.headers.push((name.to_owned(), value.to_string()));
        self
    }

    pub(super) fn status(self, status: u16) -> Self {
        Self { status, ..self }
    }

    /// The same without a body.
    pub(super) fn empty(self) -> Self {
        Self { body: Vec::new(), ..self }
    }

    pub(super) fn times(self, times: usize, pause: Duration) -> Self {
        Self { times, pause, ..self }
    }
}

type Script = Box<dyn Fn(&Asked) -> Reply + Send + Sync>;

/// It ends with the runtime of its test.
#[derive(Clone)]
pub(super) struct Server {
    pub(super) url: String,
    asked: Arc<Mutex<Vec<Asked>>>,
}

impl Server {
    pub(super) async fn start(script: impl Fn(&Asked) -> Reply + Send + Sync + 'static) -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let server = Self { url: format!("http://{}", listener.local_addr().unwrap()), asked: Arc::default() };
        let (here, script): (_, Arc<Script>) = (server.clone(), Arc::new(Box::new(script)));
        tokio::spawn(async move {
            while let Ok((socket, _)) = listener.accept().await {
                let (here, script) = (here.clone(), Arc::clone(&script));
                tokio::spawn(async move { here.serve(socket, &script).await });
            }
        });
        server
    }

    /// Everything that was asked for data, in order.
    pub(super) fn asked(&self) -> Vec<Asked> {
        self.asked.lock().unwrap().iter().filter(|asked| asked.path != "/me").cloned().collect()
    }

    async fn serve(&self, socket: TcpStream, script: &Script) -> Option<()> {
        let mut socket = BufReader::new(socket);
        loop {
            let Received { method, path, headers, body } = read_request(&mut socket).await?;
            let url = Url::parse(&self.url).unwrap().join(&path).unwrap();
            let query = url.query_pairs().into_owned().collect();
            let asked = Asked { method, path: url.path().to_owned(), query, headers, body };
            let reply = if asked.path == "/me" { json(serde_json::json!({"id": "ada"})) } else { script(&asked) };
            self.asked.lock().unwrap().push(asked);
            if reply.is_lost {
                return None;
            }
            let mut head = format!("HTTP/1.1 {} Said\r\ncontent-length: {}\r\n", reply.status, reply.body.len() * reply.times);
            for (name, value) in &reply.headers {
                head.push_str(&format!("{name}: {value}\r\n"));
            }
            socket.write_all(format!("{head}\r\n").as_bytes()).await.ok()?;
            for _ in 0..reply.times {
                tokio::time::sleep(reply.pause).await;
                socket.write_all(&reply.body).await.ok()?;
            }
        }
    }
}
