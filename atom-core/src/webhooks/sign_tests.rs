use super::super::WebhookVerifier;
use super::*;
use crate::Result;
use chrono::DateTime;
use std::collections::HashMap;

const MESSAGE: &str = "msg_p5jXN8AQM9LWM0D4loKWxJek";
const SECRET: &str = "whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw";
const BODY: &[u8] = br#"{"test": 2432232314}"#;
const SENT: i64 = 1_614_265_330;
const DECOY: &str = "v1,Ceo5qEr07ixe2NLpvHk3FH9bwy/WavXrAFQ/9tdO6mc=";

/// Svix's key pair: 32 bytes of seed and 32 of public key. Its signature is also the example of the specification.
const SVIX: &str = "whsk_6Xb/dCcHpPea21PS1N9VY/NZW723CEc77N4rJCubMbfVKIDij2HKpMKkioLlX0dRqSKJp4AJ6p9lMicMFs6Kvg==";
const SVIX_SEED: &str = "whsk_6Xb/dCcHpPea21PS1N9VY/NZW723CEc77N4rJCubMbc=";
const SVIX_PUBLIC: &str = "whpk_1SiA4o9hyqTCpIqC5V9HUakiiaeACeqfZTInDBbOir4=";
const SPEC_EXAMPLE: &str = "v1,K5oZfzN95Z9UVu1EsfQmfVNQhnkZ2pj9o9NDN/H/pI4= \
    v1a,hnO3f9T8Ytu9HwrXslvumlUpqtNVqkhqw/enGzPCXe5BdqzCInXqYXFymVJaA7AZdpXwVLPo3mNl8EM+m7TBAg==";

fn key(text: &str) -> SigningKey {
    SigningKey::parse(&text.into()).expect("it is well formed")
}

/// The verdict on a webhook that came `delay` seconds after it was sent.
async fn verdict(keys: &[&str], changed: &[(&str, Option<&str>)], body: &[u8], delay: i64) -> Result<()> {
    let verifier = WebhookVerifier::with_keys(keys.iter().map(|key| (*key).into()).collect()).await?;
    let signature = key(SECRET).sign(MESSAGE, SENT, BODY);
    let mut headers = HashMap::from([
        ("webhook-id".to_owned(), MESSAGE.to_owned()),
        ("webhook-timestamp".to_owned(), SENT.to_string()),
        ("webhook-signature".to_owned(), signature),
    ]);
    for (name, value) in changed {
        match value {
            Some(value) => headers.insert((*name).to_owned(), (*value).to_owned()),
            None => headers.remove(*name),
        };
    }
    let now = DateTime::from_timestamp(SENT + delay, 0).expect("a moment");
    verifier.check(&headers, body, now)
}

async fn reason(keys: &[&str], changed: &[(&str, Option<&str>)], body: &[u8], delay: i64) -> &'static str {
    verdict(keys, changed, body, delay).await.expect_err("refused").reason()
}

#[test]
fn the_published_vectors_are_signed_to_the_byte() {
    assert_eq!(key(SECRET).sign(MESSAGE, SENT, BODY), "v1,g0hM9SsE+OTPJTGt/tmIKtSyZlE3uFJELVlNIOLJ1OE=");
    for form in [SVIX, SVIX_SEED] {
        let key = key(form);
        assert!(SPEC_EXAMPLE.ends_with(&key.sign(MESSAGE, SENT, BODY)), "{form}");
        assert_eq!(key.verification_key().expose(), SVIX_PUBLIC);
        assert_eq!(key.secret().expose(), SVIX_SEED);
    }
    // The Go library's.
    let go = key("VEVTVFNJR05JTkdLRVlET05PVFVTRVRISVNGT1JBTlk=".replace("VEVT", "whsk_VEVT").as_str());
    let expected = "v1a,tQ9V2XOqn7jL/DQenEFpqIugdBVtiMmER5mhSkXBNwM0mkATuDe6KYYUuxqtaiHeYGb7KaaBRdM5WqyeFiL8Ag==";
    assert_eq!(go.sign(MESSAGE, SENT, BODY), expected);
}

#[tokio::test]
async fn the_example_of_the_specification_verifies_under_the_public_key_alone() {
    let example = [("webhook-signature", Some(SPEC_EXAMPLE))];
    verdict(&[SVIX_PUBLIC], &example, BODY, 0).await.expect("genuine");
    assert_eq!(reason(&[SVIX_PUBLIC], &example, br#"{"test": 2432232315}"#, 0).await, "webhook_signature_wrong");
    assert_eq!(reason(&[SECRET], &example, BODY, 0).await, "webhook_signature_wrong", "its HMAC is under an unknown secret");
}

#[tokio::test]
async fn a_genuine_webhook_is_accepted_with_every_way_to_write_its_secret() {
    for secret in [SECRET, "MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw"] {
        verdict(&[secret], &[], BODY, 0).await.expect("genuine");
    }
    let padded = key("whsec_AAECAwQFBgcICQoLDA0ODxAREhMUFRYXGBkaGxwdHh8=").sign(MESSAGE, SENT, BODY);
    let signed = [("webhook-signature", Some(padded.as_str()))];
    verdict(&["whsec_AAECAwQFBgcICQoLDA0ODxAREhMUFRYXGBkaGxwdHh8"], &signed, BODY, 0).await.expect("padding does not matter");
    let shouted = [("webhook-id", None), ("WEBHOOK-ID", Some(MESSAGE))];
    verdict(&[SECRET], &shouted, BODY, 0).await.expect("nor does the case of a header's name");
}

#[tokio::test]
async fn one_signature_that_fits_among_others_is_enough() {
    let genuine = key(SECRET).sign(MESSAGE, SENT, BODY);
    for list in [
        format!("{DECOY} v2,Ceo5qEr07ixe2NLpvHk3FH9bwy/WavXrAFQ/9tdO6mc= {genuine} {DECOY}"),
        format!("{SPEC_EXAMPLE} {genuine}"),
        format!("nonsense v1 v1, ,  v1,%% {genuine}"),
    ] {
        verdict(&[SECRET], &[("webhook-signature", Some(&list))], BODY, 0).await.expect(&list);
    }
    let rotated = signatures(&[key("whsec_C2FVsBQIhrscChlQIMV+b5sSYspob7oD"), key(SECRET)], MESSAGE, SENT, BODY);
    for knows in [SECRET, "whsec_C2FVsBQIhrscChlQIMV+b5sSYspob7oD"] {
        verdict(&[knows], &[("webhook-signature", Some(&rotated))], BODY, 0).await.expect("both keys sign during a rotation");
    }
    verdict(&[SVIX_PUBLIC, SECRET], &[], BODY, 0).await.expect("one of two keys is enough");
}

#[tokio::test]
async fn wrong_partial_and_relabelled_signatures_are_refused() {
    let genuine = key(SECRET).sign(MESSAGE, SENT, BODY);
    let relabelled = [genuine.replace("v1,", "v1a,"), genuine.replace("v1,", "v2,"), genuine.replace("v1,", "")];
    let wrong = [DECOY, "v1,", "v1", "v1,dawfeoifkpqwoekfpqoekf", &genuine[..8], &genuine[..genuine.len() - 1], " "];
    for signature in wrong.into_iter().chain(relabelled.iter().map(String::as_str)) {
        let changed = [("webhook-signature", Some(signature))];
        assert_eq!(reason(&[SECRET], &changed, BODY, 0).await, "webhook_signature_wrong", "{signature}");
    }
    for changed in [("webhook-id", Some("msg_other")), ("webhook-timestamp", Some("1614265331"))] {
        assert_eq!(reason(&[SECRET], &[changed], BODY, 0).await, "webhook_signature_wrong", "{changed:?}");
    }
    assert_eq!(reason(&[SECRET], &[], br#"{"test":2432232314}"#, 0).await, "webhook_signature_wrong", "written again");
    assert_eq!(reason(&["whsec_C2FVsBQIhrscChlQIMV+b5sSYspob7oD"], &[], BODY, 0).await, "webhook_signature_wrong");
}

#[tokio::test]
async fn every_changed_byte_of_a_signature_is_noticed() {
    for (knows, signs) in [(SECRET, SECRET), (SVIX_PUBLIC, SVIX)] {
        let genuine = key(signs).sign(MESSAGE, SENT, BODY);
        for i in 0..genuine.len() {
            let mut altered = genuine.clone().into_bytes();
            altered[i] = if altered[i] == b'A' { b'B' } else { b'A' };
            let altered = String::from_utf8(altered).expect("ASCII");
            assert_eq!(
                reason(&[knows], &[("webhook-signature", Some(&altered))], BODY, 0).await,
                "webhook_signature_wrong",
                "{i}"
            );
        }
    }
}

#[tokio::test]
async fn a_webhook_without_its_headers_is_refused() {
    for name in ["webhook-id", "webhook-timestamp", "webhook-signature"] {
        for value in [None, Some("")] {
            assert_eq!(reason(&[SECRET], &[(name, value)], BODY, 0).await, "webhook_headers_missing", "{name} {value:?}");
        }
    }
    for timestamp in ["hello", "1614265330.0", "+1614265330", "-1", "99999999999999999999"] {
        let changed = [("webhook-timestamp", Some(timestamp))];
        assert_eq!(reason(&[SECRET], &changed, BODY, 0).await, "webhook_headers_missing", "{timestamp}");
    }
}

#[tokio::test]
async fn a_webhook_is_good_for_five_minutes_in_both_directions() {
    for delay in [-300, 0, 300] {
        verdict(&[SECRET], &[], BODY, delay).await.expect("within the tolerance");
    }
    assert_eq!(reason(&[SECRET], &[], BODY, 301).await, "webhook_too_old");
    assert_eq!(reason(&[SECRET], &[], BODY, -301).await, "webhook_too_new");
}

#[tokio::test]
async fn what_is_no_key_is_refused() {
    let short = "whsec_".to_owned() + &STANDARD.encode([7; 23]);
    let long = "whsec_".to_owned() + &STANDARD.encode([7; 65]);
    let torn = SVIX.replace("VKIDij2HKpMKkio", "AAAAAAAAAAAAAAA");
    for text in ["", "whsec_", "whsec_%", &short, &long, "whsk_", "whsk_AAAA", "hwsec_C2FVsBQIhrscChlQIMV+b5sSYspob7oD"] {
        assert_eq!(SigningKey::parse(&text.into()).err().map(|e| e.reason()), Some("malformed_webhook_secret"), "{text}");
    }
    for text in [torn.as_str(), SVIX_PUBLIC] {
        assert!(SigningKey::parse(&text.into()).is_err(), "{text}");
    }
    for text in ["", "whpk_AAAA", SVIX, "whpk_"] {
        assert!(WebhookVerifier::with_keys(vec![text.into()]).await.is_err(), "{text}");
    }
    assert!(WebhookVerifier::with_keys(vec![]).await.is_err());
}

#[tokio::test]
async fn a_fresh_key_survives_its_text_form_and_signs_what_its_receiver_verifies() {
    for signing in [WebhookSigning::Hmac, WebhookSigning::KeyPair] {
        let fresh = SigningKey::generate(signing).expect("a key");
        let again = key(fresh.secret().expose());
        assert_eq!((again.signing(), again.sign("m", SENT, BODY)), (signing, fresh.sign("m", SENT, BODY)));
        let signature = fresh.sign(MESSAGE, SENT, BODY);
        let changed = [("webhook-signature", Some(signature.as_str()))];
        verdict(&[fresh.verification_key().expose()], &changed, BODY, 0).await.expect("genuine");
    }
}
