//! Public keys of passkeys, in COSE (RFC 9052, RFC 9053, RFC 8230), and what they have signed.

use super::cbor::Value;
use super::{Checked, Refusal};
use ring::signature::{ECDSA_P256_SHA256_ASN1, ED25519, RSA_PKCS1_2048_8192_SHA256, RsaPublicKeyComponents, UnparsedPublicKey};

/// The algorithms that are asked for, the ones that one would rather have first: EdDSA, ES256, RS256.
pub(super) const ALGORITHMS: [i64; 3] = [EDDSA, ES256, RS256];

const EDDSA: i64 = -8;
const ES256: i64 = -7;
const RS256: i64 = -257;

/// A public key of one of them. The algorithm belongs to the key: no signature chooses it.
#[derive(Debug, PartialEq)]
pub(super) enum PublicKey {
    EdDsa {
        point: [u8; 32],
    },
    /// Uncompressed.
    Es256 {
        point: [u8; 65],
    },
    Rs256 {
        modulus: Vec<u8>,
        exponent: Vec<u8>,
    },
}

impl PublicKey {
    pub(super) fn parse(key: &Value) -> Checked<Self> {
        let number = |label| key.at(label).and_then(Value::integer);
        let bytes = |label| key.at(label).and_then(Value::bytes).ok_or("its public key lacks a part");
        match (number(1), number(3), number(-1)) {
            (Some(1), Some(EDDSA), Some(6)) => {
                let point = bytes(-2)?.try_into().map_err(|_| "its public key has another length")?;
                Ok(Self::EdDsa { point })
            }
            (Some(2), Some(ES256), Some(1)) => {
                let mut point = [4; 65];
                let halves = point[1..].as_chunks_mut::<32>().0;
                for (half, label) in halves.iter_mut().zip([-2, -3]) {
                    *half = bytes(label)?.try_into().map_err(|_| "its public key has another length")?;
                }
                Ok(Self::Es256 { point })
            }
            // In an RSA key, -1 is the modulus.
            (Some(3), Some(RS256), None) => {
                let (modulus, exponent) = (bytes(-1)?.to_vec(), bytes(-2)?.to_vec());
                if !(256..=1024).contains(&modulus.len()) || modulus[0] == 0 || exponent.len() > 8 {
                    return Err("its public key has another length".into());
                }
                Ok(Self::Rs256 { modulus, exponent })
            }
            _ => Err(Refusal::Algorithm),
        }
    }

    pub(super) fn algorithm(&self) -> i64 {
        match self {
            Self::EdDsa { .. } => EDDSA,
            Self::Es256 { .. } => ES256,
            Self::Rs256 { .. } => RS256,
        }
    }

    /// Whether its holder has signed this.
    pub(super) fn has_signed(&self, what: &[u8], signature: &[u8]) -> bool {
        match self {
            Self::EdDsa { point } => UnparsedPublicKey::new(&ED25519, point).verify(what, signature).is_ok(),
            Self::Es256 { point } => UnparsedPublicKey::new(&ECDSA_P256_SHA256_ASN1, point).verify(what, signature).is_ok(),
            Self::Rs256 { modulus, exponent } => {
                let key = RsaPublicKeyComponents { n: modulus, e: exponent };
                key.verify(&RSA_PKCS1_2048_8192_SHA256, what, signature).is_ok()
            }
        }
    }
}
