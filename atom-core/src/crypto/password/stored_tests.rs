//! Hashes that other systems have made, each by the program that is named beside it, all of one password.

use super::*;

const PASSWORD: &str = "correct horse battery staple";

#[rustfmt::skip]
const FOREIGN: &[&str] = &[
    // argon2-cffi 25.1: PasswordHasher(time_cost=1, memory_cost=512, parallelism=1, type=…).hash(…)
    "$argon2id$v=19$m=512,t=1,p=1$7BsetwYNbiCNfMTKdoWiHg$qE4O6XkCUaF+4BIzYF9j+jfIiLrxgY2hudC5hYkFnYs",
    "$argon2i$v=19$m=512,t=1,p=1$WrAKJXZb3MQGRs7zWZt8oQ$1IzAX2P8ysLZ0jHDg50BATJ++JJsyxRJqPHbEFM4BlY",
    "$argon2d$v=19$m=512,t=1,p=1$eNgxasIRe6cV/4QeV7GQ3A$MRHug66v9e4rHpRpEGU+55iQn/L2FN6ZXfGu9Rca7nQ",
    // bcrypt 5.0 for Python: hashpw(…, gensalt(6)), and with prefix=b"2a"
    "$2b$06$fMUvhYpCcdMOU2VLwJYnyeYmzTAL6CiwDD99dkISkcqmYv2C2uJTG",
    "$2a$06$1n.QdSY.E8keO5rsCQLWvOepow.iznRQWX0SHuyiEB1Lxqc/HkNy2",
    // The first of them as PHP spells it.
    "$2y$06$fMUvhYpCcdMOU2VLwJYnyeYmzTAL6CiwDD99dkISkcqmYv2C2uJTG",
    // Django 5.2: make_password(…, hasher=…)
    "pbkdf2_sha256$1000000$z3nDMgrROmMc5QKVu0yTiH$LcDZWWdEM/Uh7jf+P62hQk0ixtHur6N2TFjTtxIQmuE=",
    "pbkdf2_sha1$1000000$uF60IvSagJYAMVjELtSQbx$KFmS3Wrnxp+wELKaUMND6fZJO0Y=",
    "argon2$argon2id$v=19$m=102400,t=2,p=8$SW4zTW5vM0g1Q0pxaXZUeUZuTWF0cg$GeEo4WXRpDsmFEC1KK0RVvgj+eaI5QhtKSDF/T6QoYg",
    "scrypt$16384$Cp5LBSjaRMOOtzrGSfniJ8$8$5$C9KEiHcEGeYHuTpsb1Q0LXaihf/gRUcQqIySPoOXpAfw9IAsYNQoEbLJU/ZDva7t//bQxVMHgnqti9DayRXlwQ==",
    "bcrypt$$2b$12$Hd9q3RXBtZkRjUwjmsL0EuyKGebrcI6xsJcAfQIW94eH58UipxAve",
    "bcrypt_sha256$$2b$12$E5tidypZ0dO5ur.GKT0VyupYy6o/xuQuHot2xWEsQuy8CSqWjurTa",
    // Werkzeug 3.1: generate_password_hash(…), and with method="pbkdf2", "pbkdf2:sha512:1000", "pbkdf2:sha1:1000"
    "scrypt:32768:8:1$WQrht8WHR3A17gw5$6c6cf648d0ae5b7c34c38cc42a75948c22965a44ba276f1a4591f84e33a80139ed36cf6953b952492c0251e611b0652fba001243a4f16e02bf958297db73b38a",
    "pbkdf2:sha256:1000000$j892RW3iDenRJfp5$a31b53ea0e014e3d8b40263ca9a8184ceda728bc44901d1873e25e0d9408cc13",
    "pbkdf2:sha512:1000$VFhXj7mcTRNqviPm$74896061c629eef56f86e41ce3ff50d41d5cbdc0c6ca4e30d40630a63a3b7b502e33752ea010c43c02eddfa53a4311f555afd0608b6dc486fe90cb09a38a055c",
    "pbkdf2:sha1:1000$a5zxhr7M4uZqAA8K$52332a556b9c55737b70c17bce89d9cefc239040",
    // passlib 1.7: pbkdf2_sha1, pbkdf2_sha256, pbkdf2_sha512, scrypt.using(rounds=14), argon2.using(memory_cost=1024, rounds=1,
    // parallelism=2), .hash(…) of each
    "$pbkdf2$131000$6723FgKAEIKwVsq515rzng$EdJlFmEgGiYoaASVHjNF2IOtMLE",
    "$pbkdf2-sha256$29000$ZExJiVFKaS1lTGktBaA0pg$sy5GU6xDLSXX6r3OZBldNBizkPU.uMl8CoWKzXKoyFQ",
    "$pbkdf2-sha512$25000$DyEE4DxnLKXUGiOk1FoLQQ$Js6b4hWZONuB28CweogQC/JgCgXzRKsc57LE2viB0Ek5WGEP1gXS1kRh/lzSZCd44qaXFwzt.JYg/f6VMxw8Nw",
    "$scrypt$ln=14,r=8,p=1$M0aoFeKc0/q/9x4j5HzvXQ$VK297Q5kYmzXVeU4t2LSl6v+4aQiL0MWlccbuecUK4s",
    "$argon2id$v=19$m=1024,t=1,p=2$Tqk1hhBCCGGMUap17v1fSw$coGFIJQvMVlvSKH+BDGR4kDXIb9XMZNNf2q1LPMUGiw",
    // As passlib's bcrypt_sha256 describes it, with bcrypt 5.0: hashpw(b64encode(hmac.digest(salt, …, "sha256")), gensalt(6))
    "$bcrypt-sha256$v=2,t=2b,r=6$AsS7a6jeR6ByVHQWnJy5nO$DeaE46wUlKsVEuvbEn2IWV0U2CeIQ6e",
    // Node: as better-auth 1.7 does it, crypto.scryptSync(…, salt, 64, { N: 16384, r: 16, p: 1, maxmem: … })
    "2c70f70df51088196b93885c4a30a684:7d1b74e201f11af6d37da793b402898418936e046f7eb93f2b632e4c9223fba6556ec09bde3b1228197c3256cc3386c3e150801058efcb2a39fb4fd94a647782",
    // Node: crypto.pbkdf2Sync(…, salt, 1000, 32, "sha256") and crypto.scryptSync(…, salt, 32, { N: 1024, r: 8, p: 1 }) as PHC strings
    "$pbkdf2-sha256$i=1000,l=32$kIhFGET2i1IYGYILJQyq7w$XYTx+g0uncIQ8I3r4dUnDVrzF/cEThtlYVyUAWaGQJQ",
    "$scrypt$ln=10,r=8,p=1$kIhFGET2i1IYGYILJQyq7w$YbN7DJRbCQWPYhdUbyyS6OILeax8UMqqKmNb4GA5GTI",
];

#[test]
fn p01_hashes_of_other_systems_are_verified() {
    for hash in FOREIGN {
        let stored = Stored::read(hash).unwrap_or_else(|| panic!("{hash} is not understood"));
        assert!(stored.matches(PASSWORD), "{hash}");
        assert!(!stored.matches("correct horse battery stapl"), "{hash}");
        // Only Django's has enough of everything.
        assert_eq!(stored.is_strong(), hash.starts_with("argon2$"), "{hash}");
    }
}

#[test]
fn p01_bcrypt_looks_at_all_of_a_password_or_refuses_it() {
    // bcrypt 5.0 for Python: hashpw(b"x" * 71, gensalt(4)), and of 72
    let of_71 = Stored::read("$2b$04$usiYu3ITiLAYEiEDfPjr1OBRbeBkT/Ykf5qVCcepRFV6Ibs8Q71GS").expect("bcrypt");
    let of_72 = Stored::read("$2b$04$6DNJOJlAIJ9rtqTG6iQAB.IxVsLZStXvtOT7/KoNvx3yDncv8t56m").expect("bcrypt");
    let matching = |stored: &Stored| (60..80).filter(|length| stored.matches(&"x".repeat(*length))).collect::<Vec<_>>();
    assert_eq!((matching(&of_71), matching(&of_72)), (vec![71], vec![72]));
    // A password that is repeated after its end is another one.
    let short = Stored::read(FOREIGN[3]).expect("bcrypt");
    assert!(!short.matches(&format!("{PASSWORD}\0")) && !short.matches(&format!("{PASSWORD}\0{PASSWORD}")));
    // What was hashed before has no such limit.
    let hashed = Stored::read(FOREIGN[21]).expect("passlib's");
    assert!(matches!(hashed, Stored::Bcrypt { before: Before::Hmac(_), .. }));
    assert!(!hashed.matches(&"x".repeat(500)) && !hashed.matches(&format!("{PASSWORD}\0")));
}

#[test]
fn malformed_and_unknown_hashes_are_refused() {
    let long = format!("$pbkdf2-sha256$1000${}$XYTx+g0uncIQ8I3r4dUnDVrzF/cEThtlYVyUAWaGQJQ", "A".repeat(600));
    for text in [
        "",
        "$",
        "$$$$$",
        ":",
        "plain text",
        "md5$PV1589bLG19OzPTU6X0dVn$de14ac8c6b0ccb8fad6dc90fc5b17144",
        "{SSHA}x",
        "!unusable",
        // Cut short, or with something that does not belong there.
        "$argon2id$v=19$m=512,t=1,p=1$7BsetwYNbiCNfMTKdoWiHg",
        "$argon2id$v=19$m=512,t=1,p=1$7BsetwYNbiCNfMTKdoWiHg$qE4O6XkCUaF+4A",
        "$2b$06$fMUvhYpCcdMOU2VLwJYnyeYmzTAL6CiwDD99dkISkcqmYv2C2uJT",
        "$2b$06$fMUvhYpCcdMOU2VLwJYnyeYmzTAL6CiwDD99dkISkcqmYv2C2uJTGG",
        "$2x$06$fMUvhYpCcdMOU2VLwJYnyeYmzTAL6CiwDD99dkISkcqmYv2C2uJTG",
        "$2b$+6$fMUvhYpCcdMOU2VLwJYnyeYmzTAL6CiwDD99dkISkcqmYv2C2uJTG",
        "$2b$06$fMUvhYpCcdMOU2VLwJYnyeYmzTAL6CiwDD99dkISkcqmYv2C2uJT=",
        "$2b$06$\u{e4}MUvhYpCcdMOU2VLwJYnyeYmzTAL6CiwDD99dkISkcqmYv2C2uJTG",
        "$scrypt$ln=14,r=8$M0aoFeKc0/q/9x4j5HzvXQ$VK297Q5kYmzXVeU4t2LSl6v+4aQiL0MWlccbuecUK4s",
        "$scrypt$ln=14,r=8,p=1,x=1$M0aoFeKc0/q/9x4j5HzvXQ$VK297Q5kYmzXVeU4t2LSl6v+4aQiL0MWlccbuecUK4s",
        "$scrypt$ln=14,r=8,p=1$M0aoFeKc0/q/9x4j5HzvXQ$VK29",
        "scrypt:1000:8:1$WQrht8WHR3A17gw5$6c6cf648d0ae5b7c34c38cc42a75948c22965a44ba276f1a",
        "pbkdf2:md5:1000$a5zxhr7M4uZqAA8K$52332a556b9c55737b70c17bce89d9cefc239040",
        "pbkdf2:sha1:0$a5zxhr7M4uZqAA8K$52332a556b9c55737b70c17bce89d9cefc239040",
        "pbkdf2:sha1:-1$a5zxhr7M4uZqAA8K$52332a556b9c55737b70c17bce89d9cefc239040",
        "$pbkdf2-sha256$i=1000,l=31$kIhFGET2i1IYGYILJQyq7w$XYTx+g0uncIQ8I3r4dUnDVrzF/cEThtlYVyUAWaGQJQ",
        "2c70f70df51088196b93885c4a30a684:7d1b74e201f11af6",
        "2c70:7d1b74e201f11af6d37da793b402898418936e046f7eb93f2b632e4c9223fba6556ec09bde3b1228197c3256cc3386c3e150801058efcb2a39fb4fd94a647782",
        &long,
    ] {
        assert!(Stored::read(text).is_none(), "{text}");
    }
}

#[test]
fn a_hash_that_would_eat_the_machine_is_refused() {
    let (salt, hash) = ("7BsetwYNbiCNfMTKdoWiHg", "qE4O6XkCUaF+4BIzYF9j+jfIiLrxgY2hudC5hYkFnYs");
    let read = |before: &str| Stored::read(&format!("{before}${salt}${hash}"));
    for fine in [
        "$argon2id$v=19$m=262144,t=4,p=1",
        "$argon2id$v=19$m=65536,t=3,p=4",
        "$scrypt$ln=17,r=8,p=1",
        "$scrypt$ln=17,r=8,p=8",
        "$pbkdf2-sha256$5000000",
    ] {
        let stored = read(fine).unwrap_or_else(|| panic!("{fine} is refused"));
        assert!(stored.memory_kib() <= MOST_KIB + 1024, "{fine}");
    }
    for heavy in [
        "$argon2id$v=19$m=262145,t=1,p=1",
        "$argon2id$v=19$m=4194304,t=1,p=1",
        "$argon2id$v=19$m=262144,t=5,p=1",
        "$argon2id$v=19$m=64,t=4294967295,p=1",
        "$argon2id$v=19$m=65536,t=1,p=65",
        "$scrypt$ln=19,r=8,p=1",
        "$scrypt$ln=17,r=8,p=9",
        "$scrypt$ln=31,r=1,p=1",
        "$scrypt$ln=32,r=8,p=1",
        "$scrypt$ln=63,r=8,p=1",
        "$scrypt$ln=1,r=4294967295,p=4294967295",
        "$scrypt$ln=0,r=8,p=1",
        "$scrypt$ln=10,r=0,p=1",
        "$pbkdf2-sha256$5000001",
        "$pbkdf2-sha256$4294967296",
    ] {
        assert!(read(heavy).is_none(), "{heavy}");
    }
    for (cost, fine) in [("03", false), ("04", true), ("15", true), ("16", false), ("31", false), ("99", false)] {
        let text = format!("$2b${cost}$fMUvhYpCcdMOU2VLwJYnyeYmzTAL6CiwDD99dkISkcqmYv2C2uJTG");
        assert_eq!(Stored::read(&text).is_some(), fine, "{text}");
    }
}
