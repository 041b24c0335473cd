//! Someone who receives webhooks and other requests on this machine, and answers as a test says.

use std::collections::{HashMap, VecDeque};
use std::sync::{Arc, Mutex};
use std::time::{Duration, Instant};
use tokio::io::{AsyncBufReadExt, AsyncReadExt, AsyncWriteExt, BufReader};
use tokio::net::{TcpListener, TcpStream};

/// What came in.
#[derive(Clone, Debug)]
pub(crate) struct Received {
    pub(crate) method: String,
    pub(crate) path: String,
    pub(crate) headers: HashMap<String, String>,
    pub(crate) body: Vec<u8>,
}

impl Received {
    pub(crate) fn json(&self) -> serde_json::Value {
        serde_json::from_slice(&self.body).unwrap()
    }

    pub(crate) fn id(&self) -> &str {
        &self.headers["webhook-id"]
    }
}

#[derive(Clone)]
pub(crate) struct Receiver {
    port: u16,
    received: Arc<Mutex<Vec<Received>>>,
    /// Answers that are given once each, before `always`.
    script: Arc<Mutex<VecDeque<String>>>,
    always: Arc<Mutex<String>>,
}

impl Receiver {
    pub(crate) async fn start() -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let receiver = Self {
            port: listener.local_addr().unwrap().port(),
            received: Arc::default(),
            script: Arc::default(),
            always: Arc::new(Mutex::new(answer(204, "", ""))),
        };
        let server = receiver.clone();
        tokio::spawn(async move {
            while let Ok((socket, _)) = listener.accept().await {
                let server = server.clone();
                tokio::spawn(async move { server.serve(socket).await });
            }
        });
        receiver
    }

    /// Where it listens: `127.0.0.1:PORT`.
    pub(crate) fn host(&self) -> String {
        format!("127.0.0.1:{}", self.port)
    }

    pub(crate) fn url(&self, path: &str) -> String {
        format!("http://127.0.0.1:{}{path}", self.port)
    }

    /// Answers like this from now on.
    pub(crate) fn always(&self, status: u16) {
        *self.always.lock().unwrap() = answer(status, "", "");
    }

    /// Answers the next request like this.
    pub(crate) fn once(&self, status: u16, headers: &str, body: &str) {
        self.script.lock().unwrap().push_back(answer(status, headers, body));
    }

    pub(crate) fn received(&self) -> Vec<Received> {
        self.received.lock().unwrap().clone()
    }

    /// Waits until so many requests have come in.
    pub(crate) async fn wait_for(&self, count: usize) -> Vec<Received> {
        let start = Instant::now();
        while self.received.lock().unwrap().len() < count {
            assert!(start.elapsed() < Duration::from_secs(30), "{} of {count} came", self.received.lock().unwrap().len());
            tokio::time::sleep(Duration::from_millis(5)).await;
        }
        self.received()
    }

    async fn serve(&self, socket: TcpStream) -> Option<()> {
        let mut socket = BufReader::new(socket);
        loop {
            let request = read_request(&mut socket).await?;
            self.received.lock().unwrap().push(request);
            let scripted = self.script.lock().unwrap().pop_front();
            let answer = scripted.unwrap_or_else(|| self.always.lock().unwrap().clone());
            socket.write_all(answer.as_bytes()).await.ok()?;
        }
    }
}

/// The next request of a connection; none after the last.
pub(crate) async fn read_request(socket: &mut BufReader<TcpStream>) -> Option<Received> {
    let mut head = Vec::new();
    loop {
        let mut line = String::new();
        if socket.read_line(&mut line).await.ok()? == 0 {
            return None;
        }
        match line.trim_end() {
            "" => break,
            line => head.push(line.to_owned()),
        }
    }
    let mut line = head[0].split(' ').map(str::to_owned);
    let (method, path) = (line.next()?, line.next()?);
    let headers: HashMap<_, _> = head[1..]
        .iter()
        .filter_map(|line| line.split_once(": ").map(|(name, value)| (name.to_lowercase(), value.to_owned())))
        .collect();
    let length = headers.get("content-length").map_or(0, |length| length.parse().unwrap());
    let mut body = vec![0; length];
    socket.read_exact(&mut body).await.ok()?;
    Some(Received { method, path, headers, body })
}

fn answer(status: u16, headers: &str, body: &str) -> String {
    let length = if status == 204 { String::new() } else { format!("content-length: {}\r\n", body.len()) };
    format!("HTTP/1.1 {status} Said\r\n{headers}{length}\r\n{body}")
}
