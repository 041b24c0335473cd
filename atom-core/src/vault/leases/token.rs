//! The token of a lease: 256 random bits that nobody can guess, and four bytes by which a mistyped or cut one is known without the database.

use crate::crypto::{base64url, from_base64url, random};
use crate::{Result, Secret};
use sha2::{Digest, Sha256};
use zeroize::Zeroizing;

/// By which secret scanners find it.
const PREFIX: &str = "atl_";
const RANDOM: usize = 32;
const CHECKSUM: usize = 4;

/// What the database has of a token.
pub(super) type Hash = [u8; 32];

/// A fresh token, with its hash.
pub(super) fn issue() -> Result<(Secret, Hash)> {
    let random = Zeroizing::new(random::<RANDOM>()?);
    let bytes = Zeroizing::new([&random[..], &checksum(&random[..])].concat());
    let token = Secret::from(format!("{PREFIX}{}", base64url(&*bytes)));
    let hash = Sha256::digest(token.expose().as_bytes()).into();
    Ok((token, hash))
}

/// The hash of a token; none if this cannot be one.
pub(super) fn hash(token: &Secret) -> Option<Hash> {
    let bytes = Zeroizing::new(from_base64url(token.expose().strip_prefix(PREFIX)?)?);
    let (random, sum) = bytes.split_at_checked(RANDOM)?;
    (sum == checksum(random)).then(|| Sha256::digest(token.expose().as_bytes()).into())
}

fn checksum(random: &[u8]) -> [u8; CHECKSUM] {
    let digest = Sha256::new().chain_update(b"atom secret lease").chain_update(random).finalize();
    let mut sum = [0; CHECKSUM];
    sum.copy_from_slice(&digest[..CHECKSUM]);
    sum
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_token_is_found_by_its_hash_and_no_two_are_alike() {
        let (token, known) = issue().expect("a token");
        assert_eq!(token.expose().len(), 52);
        assert_eq!(hash(&token), Some(known));
        assert_ne!(issue().expect("another").1, known);
    }

    #[test]
    fn what_is_mistyped_cut_or_something_else_is_no_token() {
        let (token, _) = issue().expect("a token");
        let text = token.expose();
        for at in 0..text.len() {
            let other = if text.as_bytes()[at] == b'A' { 'B' } else { 'A' };
            let typo: String = text.chars().enumerate().map(|(i, c)| if i == at { other } else { c }).collect();
            assert_eq!(hash(&typo.as_str().into()), None, "{at}");
            assert_eq!(hash(&text[..at].into()), None, "{at}");
        }
        for wrong in [format!("{text}A"), format!(" {text}"), format!("{text}\n"), text.to_uppercase(), "atl_".into()] {
            assert_eq!(hash(&wrong.as_str().into()), None, "{wrong}");
        }
    }
}
