//! The examples of RFC 5849, to the letter.

use super::*;
use url::Url;

fn request(method: reqwest::Method, url: &str) -> Request {
    let url = Url::parse(url).expect("a URL");
    Request { method, url, headers: HeaderMap::new(), body: Vec::new(), timeout: TIMEOUT }
}

/// The signature of a request as the RFC signs it: its examples leave `oauth_version` out.
fn signed(signer: Signer<'_>, request: &Request, timestamp: &str, nonce: &str, extra: &[(&str, &str)]) -> String {
    let mut params = vec![
        ("oauth_consumer_key", signer.consumer.0),
        ("oauth_signature_method", "HMAC-SHA1"),
        ("oauth_timestamp", timestamp),
        ("oauth_nonce", nonce),
    ];
    params.extend(signer.token.map(|(token, _)| ("oauth_token", token)));
    params.extend(extra);
    signer.sign(&base_string(request, &params))
}

const CONSUMER: (&str, &str) = ("dpf43f3p2l4k3l03", "kd94hf93k423kf44");

#[test]
fn the_three_requests_of_section_1_2_are_signed_as_there() {
    let signer = Signer { signature: Signature::HmacSha1, consumer: CONSUMER, token: None };
    let initiate = request(reqwest::Method::POST, "https://photos.example.net/initiate");
    let callback = [("oauth_callback", "http://printer.example.com/ready")];
    assert_eq!(signed(signer, &initiate, "137131200", "wIjqoS", &callback), "74KNZJeDHnMBp0EMJ9ZHt/XKycU=");

    let signer = Signer { token: Some(("hh5s93j4hdidpola", "hdhd0244k9j7ao03")), ..signer };
    let token = request(reqwest::Method::POST, "https://photos.example.net/token");
    let verifier = [("oauth_verifier", "hfdp7dh39dks9884")];
    assert_eq!(signed(signer, &token, "137131201", "walatlh", &verifier), "gKgrFCywp7rO0OXSjdot/IHF7IU=");

    let signer = Signer { token: Some(("nnch734d00sl2jdk", "pfkkdhi9sl3r4s00")), ..signer };
    let photo = request(reqwest::Method::GET, "http://photos.example.net/photos?file=vacation.jpg&size=original");
    assert_eq!(signed(signer, &photo, "137131202", "chapoH", &[]), "MdpQcU8iPSUjWoN/UDMsK2sui9I=");
}

#[test]
fn the_base_string_of_section_3_4_1_1_is_the_one_there() {
    let mut request = request(reqwest::Method::POST, "http://EXAMPLE.COM:80/request?b5=%3D%253D&a3=a&c%40=&a2=r%20b");
    request.headers.insert(CONTENT_TYPE, reqwest::header::HeaderValue::from_static("application/x-www-form-urlencoded"));
    request.body = b"c2&a3=2+q".to_vec();
    let params = [
        ("oauth_consumer_key", "9djdj82h48djs9d2"),
        ("oauth_token", "kkk9d7dh3k39sjv7"),
        ("oauth_signature_method", "HMAC-SHA1"),
        ("oauth_timestamp", "137131201"),
        ("oauth_nonce", "7d8f3e4a"),
    ];
    assert_eq!(
        base_string(&request, &params),
        "POST&http%3A%2F%2Fexample.com%2Frequest&a2%3Dr%2520b%26a3%3D2%2520q%26a3%3Da%26b5%3D%253D%25253D%26c%2540%3D%26c2%3D%26oauth_\
         consumer_key%3D9djdj82h48djs9d2%26oauth_nonce%3D7d8f3e4a%26oauth_signature_method%3DHMAC-SHA1%26oauth_timestamp%3D137131201%26oa\
         uth_token%3Dkkk9d7dh3k39sjv7"
    );
}

#[test]
fn a_json_body_is_not_part_of_what_is_signed_and_a_port_of_its_own_is() {
    let mut request = request(reqwest::Method::POST, "https://example.net:8443/r");
    request.body = b"{\"a\":1}".to_vec();
    assert_eq!(base_string(&request, &[]), "POST&https%3A%2F%2Fexample.net%3A8443%2Fr&");
}
