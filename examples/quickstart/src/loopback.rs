//! Catches the redirect of a native app on a loopback port (RFC 8252 §7.3).

use std::io;
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::{TcpListener, TcpStream};

/// A listener whose URL is the redirect URI.
pub(crate) struct Loopback {
    listener: TcpListener,
    pub(crate) redirect_uri: String,
}

impl Loopback {
    pub(crate) async fn bind() -> io::Result<Self> {
        let listener = TcpListener::bind(("127.0.0.1", 0)).await?;
        let redirect_uri = format!("http://127.0.0.1:{}/callback", listener.local_addr()?.port());
        Ok(Self { listener, redirect_uri })
    }

    /// The whole URL that the browser was sent back to. Other requests, such as for an icon, are turned away.
    pub(crate) async fn catch(&self) -> io::Result<String> {
        loop {
            let (mut stream, _) = self.listener.accept().await?;
            let path = request_path(&mut stream).await?;
            let ours = path.starts_with("/callback?");
            let (status, text) = if ours { ("200 OK", "Connected. You can close this page.") } else { ("404 Not Found", "") };
            let answer = format!(
                "HTTP/1.1 {status}\r\ncontent-type: text/plain\r\ncontent-length: {}\r\nconnection: close\r\n\r\n{text}",
                text.len()
            );
            stream.write_all(answer.as_bytes()).await?;
            if ours {
                return Ok(self.redirect_uri.replace("/callback", &path));
            }
        }
    }
}

async fn request_path(stream: &mut TcpStream) -> io::Result<String> {
    let mut request = Vec::new();
    let mut buffer = [0; 4096];
    while !request.windows(4).any(|w| w == b"\r\n\r\n") && request.len() < 64 * 1024 {
        match stream.read(&mut buffer).await? {
            0 => break,
            n => request.extend_from_slice(&buffer[..n]),
        }
    }
    Ok(String::from_utf8_lossy(&request).split(' ').nth(1).unwrap_or_default().to_owned())
}

/// What a browser does with a redirect: asks for the URL.
pub(crate) async fn visit(url: &str) -> io::Result<()> {
    let (host, path) = url.trim_start_matches("http://").split_once('/').unwrap_or_default();
    let mut stream = TcpStream::connect(host).await?;
    stream.write_all(format!("GET /{path} HTTP/1.1\r\nhost: {host}\r\nconnection: close\r\n\r\n").as_bytes()).await?;
    stream.read_to_end(&mut Vec::new()).await.map(drop)
}
