//! Servers that never come to an end.

use super::*;
use std::time::Instant;
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::TcpListener;

/// Asks a server that says `begin`, and then `again` for ever with pauses between.
async fn ask(begin: &'static str, again: Vec<u8>, pause: Duration, timeout: Duration) -> (Error, Duration) {
    let listener = TcpListener::bind("127.0.0.1:0").await.expect("a port");
    let url = format!("http://{}/", listener.local_addr().expect("its address"));
    let server = tokio::spawn(async move {
        while let Ok((mut socket, _)) = listener.accept().await {
            let again = again.clone();
            tokio::spawn(async move {
                let mut request = [0; 1024];
                let mut is_open = socket.read(&mut request).await.is_ok() && socket.write_all(begin.as_bytes()).await.is_ok();
                while is_open {
                    is_open = socket.write_all(&again).await.is_ok();
                    tokio::time::sleep(pause).await;
                }
            });
        }
    });
    let url = Url::parse(&url).expect("a URL");
    let request = Request { method: Method::GET, url, headers: HeaderMap::new(), body: Vec::new(), timeout };
    let begun = Instant::now();
    let error = HttpClient::new().expect("a client").send(request).await.err().expect("refused");
    server.abort();
    (error, begun.elapsed())
}

const CHUNKED: &str = "HTTP/1.1 200 OK\r\ntransfer-encoding: chunked\r\n\r\n";

#[tokio::test]
async fn a_server_that_says_a_byte_now_and_then_is_given_up_in_time() {
    for (begin, again) in [
        ("", &b" "[..]),
        ("HTTP/1.1 200 OK\r\n", b"x"),
        ("HTTP/1.1 200 OK\r\n", b"x: y\r\n"),
        ("HTTP/1.1 200 OK\r\ncontent-length: 1000000\r\n\r\n", b"x"),
        (CHUNKED, b"1\r\nx\r\n"),
        ("HTTP/1.1 200 OK\r\n\r\n", b"x"),
        ("HTTP/1.1 100 Continue\r\n\r\n", b"HTTP/1.1 100 Continue\r\n\r\n"),
    ] {
        let (error, took) = ask(begin, again.to_vec(), Duration::from_millis(50), Duration::from_millis(400)).await;
        assert_eq!(error.kind(), ErrorKind::Unavailable, "{begin}: {error:?}");
        assert!(matches!(error.reason(), "timeout" | "broken_answer"), "{begin}: {error:?}");
        assert!(took < Duration::from_secs(4), "{begin}: {took:?}");
    }
}

#[tokio::test]
async fn headers_without_end_break_the_answer_long_before_they_fill_the_memory() {
    for (begin, again) in [("HTTP/1.1 200 OK\r\nx: ", b"x".repeat(64 * 1024)), ("HTTP/1.1 200 OK\r\n", b"x: y\r\n".repeat(1000))]
    {
        let (error, _) = ask(begin, again, Duration::ZERO, Duration::from_secs(20)).await;
        assert_eq!((error.kind(), error.reason()), (ErrorKind::Unavailable, "broken_answer"), "{begin}: {error:?}");
    }
}
