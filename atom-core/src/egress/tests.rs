use super::*;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::Instant;
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::TcpListener;

const REFUSED: &[&str] = &[
    // Private, shared, link-local, loopback and reserved IPv4.
    "0.0.0.0",
    "0.1.2.3",
    "10.0.0.1",
    "10.255.255.255",
    "100.64.0.1",
    "100.127.255.255",
    "127.0.0.1",
    "127.1.2.3",
    "169.254.1.1",
    "172.16.0.1",
    "172.31.255.255",
    "192.168.0.1",
    "192.0.0.8",
    "192.0.2.1",
    "192.88.99.1",
    "198.18.0.1",
    "198.19.255.255",
    "198.51.100.7",
    "203.0.113.9",
    "224.0.0.1",
    "239.255.255.250",
    "240.0.0.1",
    "255.255.255.255",
    // Metadata services.
    "169.254.169.254",
    "169.254.170.2",
    "100.100.100.200",
    "168.63.129.16",
    "192.0.0.192",
    "fd00:ec2::254",
    "fd20:ce::254",
    // IPv6.
    "::",
    "::1",
    "::7f00:1",
    "::ffff:127.0.0.1",
    "::ffff:10.0.0.1",
    "::ffff:169.254.169.254",
    "::ffff:8.8.8.8",
    "::ffff:0:7f00:1",
    "64:ff9b::7f00:1",
    "64:ff9b::a00:1",
    "64:ff9b::a9fe:a9fe",
    "64:ff9b:1::808:808",
    "2002:7f00:1::",
    "2002:808:808::1",
    "2001::1",
    "2001:2::1",
    "2001:20::1",
    "2001:db8::1",
    "3fff::1",
    "fc00::1",
    "fdff::1",
    "fe80::1",
    "fec0::1",
    "ff02::1",
    "100::1",
    "5f00::1",
];

const PUBLIC: &[&str] = &[
    "1.1.1.1",
    "8.8.8.8",
    "9.255.255.255",
    "11.0.0.0",
    "100.63.255.255",
    "100.128.0.0",
    "128.0.0.1",
    "169.253.255.255",
    "172.15.255.255",
    "172.32.0.0",
    "192.167.255.255",
    "192.169.0.0",
    "198.17.255.255",
    "198.20.0.0",
    "223.255.255.255",
    "2600::1",
    "2606:4700:4700::1111",
    "2a00:1450:4001::1",
    "2001:4860:4860::8888",
    "64:ff9b::808:808",
];

fn egress(loopback: bool) -> Egress {
    Egress::new(loopback, HashMap::new()).expect("a client")
}

fn reason(url: &str) -> &'static str {
    egress(false).check(url).expect_err(url).reason()
}

#[test]
fn p27_only_addresses_of_the_public_internet_are_let_through() {
    for text in REFUSED {
        let address: IpAddr = text.parse().expect(text);
        assert!(!is_public(address), "{text}");
        let url = if address.is_ipv6() { format!("https://[{text}]/") } else { format!("https://{text}:8443/hook") };
        assert_eq!(reason(&url), "address_not_public", "{url}");
    }
    for text in PUBLIC {
        let address: IpAddr = text.parse().expect(text);
        assert!(is_public(address), "{text}");
    }
}

#[test]
fn p27_an_address_is_recognized_in_every_notation() {
    for url in [
        "https://2130706433/",   // decimal
        "https://0x7f000001/",   // hexadecimal
        "https://017700000001/", // octal
        "https://0177.0.0.1/",
        "https://0x7f.0.0.1/",
        "https://127.1/",
        "https://127.0.1/",
        "https://127.0.0.1./", // the root's point
        "https://0/",
        "https://2852039166/latest/", // 169.254.169.254
        "https://0xa9.0xfe.0xa9.0xfe/",
        "https://0251.0376.0251.0376/",
        "https://10.1/",
        "https://１２７.０.０.１/", // full-width digits
        "https://127。0。0。1/",
        "https://%31%32%37.0.0.1/", // percent-encoded
        "https://[::ffff:7f00:1]/",
        "https://[0:0:0:0:0:ffff:127.0.0.1]/",
        "https://localhost/",
        "https://LOCALHOST:8443/",
        "https://localhost./",
        "https://api.localhost/",
    ] {
        assert_eq!(reason(url), "address_not_public", "{url}");
    }
}

#[test]
fn only_https_urls_without_a_user_are_sent_to() {
    for url in [
        "",
        "example.com/hook",
        "//example.com/hook",
        "http://example.com/hook",
        "http://127.0.0.1:8080/",
        "ftp://example.com/",
        "file:///etc/passwd",
        "gopher://example.com/",
        "javascript:alert(1)",
        "https://",
        "https://user@example.com/",
        "https://user:password@example.com/",
        "https://example.com@127.0.0.1/",
        "https://1.2.3.4.5/",
        "https://256.1.1.1/",
        "https://[::1/",
        "https://exa mple.com/",
    ] {
        assert_eq!(reason(url), "malformed_webhook_url", "{url}");
    }
    for url in
        ["https://example.com/hook", "https://example.com:8443/a?b=c", "https://1.1.1.1/", "https://[2606:4700:4700::1111]/x"]
    {
        egress(false).check(url).expect(url);
    }
}

#[test]
fn the_development_switch_opens_this_machine_and_nothing_else() {
    let egress = egress(true);
    for url in ["http://127.0.0.1:8080/hook", "http://localhost:3000/", "http://[::1]:1234/", "https://localhost/"] {
        egress.check(url).expect(url);
    }
    for url in
        ["http://example.com/", "https://10.0.0.1/", "http://192.168.1.1/", "https://169.254.169.254/", "http://127.0.0.2/"]
    {
        egress.check(url).expect_err(url);
    }
}

/// A resolver that answers something else each time it is asked.
struct Rebinding {
    answers: Vec<Vec<&'static str>>,
    asked: Arc<AtomicUsize>,
}

impl Lookup for Rebinding {
    fn addresses(&self, _: String) -> crate::crypto::BoxFuture<'static, std::io::Result<Vec<IpAddr>>> {
        let asked = self.asked.fetch_add(1, Ordering::SeqCst);
        let answer = &self.answers[asked % self.answers.len()];
        let answer = answer.iter().map(|text| text.parse().expect("an address")).collect();
        Box::pin(async move { Ok(answer) })
    }
}

fn rebinding(loopback: bool, answers: &[&[&'static str]]) -> (Egress, Arc<AtomicUsize>) {
    let asked = Arc::new(AtomicUsize::new(0));
    let answers = answers.iter().map(|answer| answer.to_vec()).collect();
    let egress = Egress::with_lookup(loopback, Arc::new(Rebinding { answers, asked: Arc::clone(&asked) })).expect("a client");
    (egress, asked)
}

/// A server on this machine that gives one answer to every connection, and counts them.
async fn serve(answer: &'static str, endless: bool) -> (u16, Arc<AtomicUsize>) {
    let listener = TcpListener::bind("127.0.0.1:0").await.expect("a port");
    let (port, count) = (listener.local_addr().expect("bound").port(), Arc::new(AtomicUsize::new(0)));
    let connections = Arc::clone(&count);
    tokio::spawn(async move {
        while let Ok((mut socket, _)) = listener.accept().await {
            connections.fetch_add(1, Ordering::SeqCst);
            tokio::spawn(async move {
                let _ = socket.read(&mut [0; 4096]).await;
                let _ = socket.write_all(answer.as_bytes()).await;
                while endless && socket.write_all(&[b'x'; 65536]).await.is_ok() {}
            });
        }
    });
    (port, count)
}

async fn post(egress: &Egress, url: &str) -> Result<Answer> {
    egress.post(url, HeaderMap::new(), b"{}".to_vec()).await
}

#[tokio::test]
async fn p27_a_name_that_resolves_into_a_network_is_not_connected_to() {
    let (port, connections) = serve("HTTP/1.1 200 OK\r\ncontent-length: 0\r\n\r\n", false).await;
    for answers in
        [&["127.0.0.1"][..], &["10.0.0.1"], &["169.254.169.254"], &["::1"], &["fd00:ec2::254"], &["1.1.1.1", "127.0.0.1"]]
    {
        let (egress, _) = rebinding(false, &[answers]);
        let error = post(&egress, &format!("https://hooks.example.com:{port}/")).await.err().expect("refused");
        assert_eq!(error.reason(), "address_not_public", "{answers:?}");
    }
    assert_eq!(connections.load(Ordering::SeqCst), 0);
}

#[tokio::test]
async fn p27_a_connection_goes_to_the_address_that_was_checked() {
    let (port, connections) = serve("HTTP/1.1 204 No Content\r\n\r\n", false).await;
    // Asked a second time, the resolver would lead into a network, or away from it: it is asked once.
    let (egress, asked) = rebinding(true, &[&["127.0.0.1"], &["10.0.0.1"]]);
    assert_eq!(post(&egress, &format!("http://localhost:{port}/")).await.expect("an answer").status, 204);
    assert_eq!((asked.load(Ordering::SeqCst), connections.load(Ordering::SeqCst)), (1, 1));
    let (egress, _) = rebinding(true, &[&["10.0.0.1"], &["127.0.0.1"]]);
    let error = post(&egress, &format!("http://localhost:{port}/")).await.err().expect("refused");
    assert_eq!(error.reason(), "address_not_public");
    assert_eq!(connections.load(Ordering::SeqCst), 1);
}

#[tokio::test]
async fn p27_a_redirect_is_an_answer_and_is_not_followed() {
    let (inside, reached) = serve("HTTP/1.1 200 OK\r\ncontent-length: 0\r\n\r\n", false).await;
    let location =
        format!("HTTP/1.1 302 Found\r\nlocation: http://127.0.0.1:{inside}/latest/meta-data\r\ncontent-length: 0\r\n\r\n");
    let (port, _) = serve(location.leak(), false).await;
    assert_eq!(post(&egress(true), &format!("http://127.0.0.1:{port}/")).await.expect("an answer").status, 302);
    assert_eq!(reached.load(Ordering::SeqCst), 0);
}

#[tokio::test]
async fn p27_little_is_read_of_an_endless_answer() {
    for head in ["HTTP/1.1 200 OK\r\n\r\n", "HTTP/1.1 500 Oops\r\ncontent-length: 10000000000\r\n\r\n"] {
        let (port, _) = serve(head, true).await;
        let start = Instant::now();
        let answer = post(&egress(true), &format!("http://127.0.0.1:{port}/")).await.expect("an answer");
        assert_eq!(answer.body.len(), MAX_ANSWER);
        assert!(start.elapsed().as_secs() < 5, "{:?}", start.elapsed());
    }
}

#[tokio::test]
async fn a_body_that_breaks_off_leaves_the_status_and_an_absent_answer_is_unavailable() {
    let (port, _) = serve("HTTP/1.1 200 OK\r\ncontent-length: 100\r\nretry-after: 7\r\n\r\nhalf", false).await;
    let answer = post(&egress(true), &format!("http://127.0.0.1:{port}/")).await.expect("an answer");
    assert_eq!((answer.status, answer.retry_after.as_deref(), &answer.body[..]), (200, Some("7"), &b"half"[..]));
    let (port, _) = serve("", false).await;
    let error = post(&egress(true), &format!("http://127.0.0.1:{port}/")).await.err().expect("no answer");
    assert_eq!(error.reason(), "broken_answer");
    let free = TcpListener::bind("127.0.0.1:0").await.expect("a port").local_addr().expect("bound").port();
    let error = post(&egress(true), &format!("http://127.0.0.1:{free}/")).await.err().expect("nobody there");
    assert_eq!(error.reason(), "unreachable");
}

/// Fifteen seconds of patience, and not a moment more for someone who sends a byte now and then.
#[tokio::test]
async fn p27_a_slow_receiver_is_given_up_after_fifteen_seconds() {
    let listener = TcpListener::bind("127.0.0.1:0").await.expect("a port");
    let port = listener.local_addr().expect("bound").port();
    tokio::spawn(async move {
        let (mut socket, _) = listener.accept().await.expect("a connection");
        assert!(socket.read(&mut [0; 4096]).await.expect("a request") > 0);
        while socket.write_all(b"H").await.is_ok() {
            tokio::time::sleep(Duration::from_secs(2)).await;
        }
    });
    let start = Instant::now();
    let error = post(&egress(true), &format!("http://127.0.0.1:{port}/")).await.err().expect("given up");
    assert_eq!(error.reason(), "timeout");
    assert!((14..20).contains(&start.elapsed().as_secs()), "{:?}", start.elapsed());
}

fn request(url: &str) -> Request {
    let (url, timeout) = (Url::parse(url).expect("a URL"), Duration::from_secs(10));
    Request { method: reqwest::Method::GET, url, headers: HeaderMap::new(), body: Vec::new(), timeout }
}

#[tokio::test]
async fn p27_a_secret_is_not_sent_into_a_network() {
    let (port, connections) = serve("HTTP/1.1 200 OK\r\ncontent-length: 0\r\n\r\n", false).await;
    for address in ["127.0.0.1", "10.0.0.1", "169.254.169.254", "fd00:ec2::254"] {
        let (egress, _) = rebinding(false, &[&[address]]);
        let error = egress.send(request(&format!("https://api.example.com:{port}/"))).await.err().expect("refused");
        assert_eq!(error.reason(), "address_not_public", "{address}");
    }
    for (url, reason) in [("http://api.example.com/", "https_only"), ("https://10.0.0.1/", "address_not_public")] {
        assert_eq!(egress(false).send(request(url)).await.err().expect(url).reason(), reason);
    }
    assert_eq!(connections.load(Ordering::SeqCst), 0);
}

#[tokio::test]
async fn the_whole_of_an_answer_to_a_request_is_read() {
    let answer = format!("HTTP/1.1 200 OK\r\ncontent-length: {}\r\n\r\n{}", 3 * MAX_ANSWER, "x".repeat(3 * MAX_ANSWER));
    let (port, _) = serve(answer.leak(), false).await;
    let answer = egress(true).send(request(&format!("http://127.0.0.1:{port}/"))).await.expect("an answer");
    assert_eq!((answer.status, answer.body.len()), (200, 3 * MAX_ANSWER));
}
