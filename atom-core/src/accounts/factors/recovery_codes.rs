//! Recovery codes: ten texts on paper, each good for one sign-in without the factor that was lost.
//!
//! A code has 80 random bits. What is stored is a MAC under a key of the installation's, so that who has only the database can not even try.

use super::change::Change;
use super::{Factors, RecoveryCodes, store, totp};
use crate::atom::Inner;
use crate::crypto::random;
use crate::storage::Tx;
use crate::{Error, ErrorKind, Result, Secret, UserId};
use unicode_normalization::UnicodeNormalization;
use zeroize::Zeroizing;

/// How many there are at once.
const COUNT: usize = 10;
/// The length of a code without its hyphens, in characters of five bits.
const LENGTH: usize = 16;
/// Crockford's alphabet: no letter looks like a digit.
const ALPHABET: &[u8; 32] = b"0123456789abcdefghjkmnpqrstvwxyz";

/// Codes for a user who has none; nothing for anybody else.
pub(super) async fn first(inner: &Inner, tx: &mut Tx, user: UserId) -> Result<Vec<Secret>> {
    if store::recovery_codes_left_in(tx, user).await? > 0 {
        return Ok(Vec::new());
    }
    replace(inner, tx, user).await
}

pub(super) async fn renew(factors: &Factors) -> Result<RecoveryCodes> {
    let (inner, principal) = (&factors.inner, factors.proved().await?);
    let (db, user) = (inner.db()?, principal.user_id);
    let change = Change::prepare(factors, principal, "recovery_codes", true).await?;
    let mut tx = change.begin(db).await?;
    if store::count_in(&mut tx, user).await? == 0 {
        let text = "the user has no second factor for which a code could stand in: add one, and it comes with codes";
        return Err(Error::new(ErrorKind::Conflict, "no_factor", text));
    }
    let codes = replace(inner, &mut tx, user).await?;
    change.renewed(tx).await?;
    Ok(RecoveryCodes { codes })
}

async fn replace(inner: &Inner, tx: &mut Tx, user: UserId) -> Result<Vec<Secret>> {
    let codes = (0..COUNT).map(|_| generate()).collect::<Result<Vec<_>>>()?;
    let hashes: Vec<_> = codes.iter().map(|code| hash(inner, user, &code.expose().replace('-', ""))).collect();
    store::replace_recovery_codes(tx, user, &hashes).await?;
    Ok(codes)
}

fn generate() -> Result<Secret> {
    let bytes = Zeroizing::new(random::<10>()?);
    let text = Zeroizing::new(totp::grouped(&bytes[..], ALPHABET));
    let groups: Vec<&str> = (0..LENGTH).step_by(4).map(|i| &text[i..i + 4]).collect();
    Ok(groups.join("-").into())
}

/// What is stored of a code.
pub(super) fn hash(inner: &Inner, user: UserId, normalized: &str) -> [u8; 32] {
    inner.keys.keyed_hash([&b"recovery code"[..], user.0.as_bytes(), normalized.as_bytes()])
}

/// A code in its one form, however it was typed; none if it is no code.
pub(super) fn normalized(code: &Secret) -> Option<Zeroizing<String>> {
    let typed = code.expose();
    let character = |c: char| match c.to_ascii_lowercase() {
        'o' => '0',
        'i' | 'l' => '1',
        other => other,
    };
    let shown = |c: &char| !c.is_whitespace() && *c != '-';
    let text: String = typed.nfkc().filter(shown).take(LENGTH + 1).map(character).collect();
    let text = Zeroizing::new(text);
    let fine = typed.len() <= 200 && text.len() == LENGTH && text.bytes().all(|b| ALPHABET.contains(&b));
    fine.then_some(text)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn p08_a_code_has_eighty_bits_and_no_two_are_the_same() {
        let mut codes: Vec<String> = (0..1000).map(|_| generate().expect("random").expose().to_owned()).collect();
        for code in &codes {
            assert_eq!(code.len(), LENGTH + 3, "{code}");
            assert_eq!(normalized(&code.as_str().into()).expect(code).as_str(), code.replace('-', ""));
        }
        codes.sort();
        codes.dedup();
        assert_eq!(codes.len(), 1000);
    }

    #[test]
    fn p08_a_code_is_the_same_however_it_is_typed() {
        for typed in ["0123-abcd-1010-wxyz", " 0123 ABCD 1010 wxyz\n", "O123abcdIOl0WXYZ", "０１２３-abcd-1o1o-wxyz"] {
            assert_eq!(normalized(&typed.into()).expect(typed).as_str(), "0123abcd1010wxyz");
        }
        let long = format!("0123abcd1010wxyz{}", " ".repeat(300));
        for typed in ["", "0123-abcd-1010-wxy", "0123-abcd-1010-wxyz0", "0123-abcd-1010-wxyu", "0123.abcd.1010.wxyz", &long] {
            assert!(normalized(&typed.into()).is_none(), "{typed}");
        }
    }
}
