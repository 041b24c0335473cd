//! What is mailed: codes to type and tokens of links.

use crate::crypto::{base64url, random};
use crate::{Result, Secret};
use unicode_normalization::UnicodeNormalization;
use zeroize::Zeroizing;

/// How many digits a code has.
const DIGITS: usize = 8;
/// How many codes there are.
const CODES: u32 = 100_000_000;
/// The numbers below this are as many for each code.
const FAIR: u32 = u32::MAX - u32::MAX % CODES;
/// What the token of a link begins with: it tells one from a code, and whoever looks for leaked secrets what it is.
const LINK: &str = "atom_link_";

/// A code, each as likely as any other.
pub(super) fn code() -> Result<Secret> {
    loop {
        let number = u32::from_be_bytes(random()?);
        if number < FAIR {
            return Ok(format!("{:0DIGITS$}", number % CODES).into());
        }
    }
}

/// The token of a link.
pub(super) fn link() -> Result<Secret> {
    Ok(format!("{LINK}{}", base64url(random::<32>()?)).into())
}

/// The token of a flow.
pub(super) fn flow() -> Result<Secret> {
    Ok(format!("atom_flow_{}", base64url(random::<32>()?)).into())
}

/// What somebody shows of a mail.
pub(super) enum Read {
    Code(Zeroizing<String>),
    Link,
    Nothing,
}

/// What was mailed, as it was typed or copied: people group digits, and some keyboards have others.
pub(super) fn read(shown: &Secret) -> Read {
    let text = shown.expose().trim();
    if text.starts_with(LINK) {
        return Read::Link;
    }
    // More than that is no code, however it is written.
    if text.len() > 16 * DIGITS {
        return Read::Nothing;
    }
    let code: Zeroizing<String> = Zeroizing::new(text.nfkc().filter(|c| !c.is_whitespace() && *c != '-').collect());
    let is_code = code.len() == DIGITS && code.bytes().all(|b| b.is_ascii_digit());
    if is_code { Read::Code(code) } else { Read::Nothing }
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::collections::HashSet;

    #[test]
    fn p05_every_code_is_as_likely_as_any_other() {
        const SAMPLES: u32 = 80_000;
        let mut counts = [[0_u32; 10]; DIGITS];
        for _ in 0..SAMPLES {
            let code = code().expect("random");
            assert_eq!(code.expose().len(), DIGITS);
            for (place, digit) in code.expose().bytes().enumerate() {
                counts[place][usize::from(digit - b'0')] += 1;
            }
        }
        let expected = f64::from(SAMPLES) / 10.;
        for (place, counts) in counts.into_iter().enumerate() {
            let chi_squared: f64 = counts.iter().map(|n| (f64::from(*n) - expected).powi(2) / expected).sum();
            // Nine degrees of freedom: a fair generator exceeds it once in a hundred million times.
            assert!(chi_squared < 57., "place {place}: {chi_squared} of {counts:?}");
        }
    }

    #[test]
    fn p05_no_code_has_more_numbers_than_another() {
        assert_eq!(FAIR % CODES, 0);
        const { assert!(u32::MAX - FAIR < CODES) };
    }

    #[test]
    fn tokens_have_256_bits_and_differ() {
        let tokens: HashSet<String> =
            (0..100).flat_map(|_| [link(), flow()]).map(|t| t.expect("random").expose().to_owned()).collect();
        assert_eq!(tokens.len(), 200);
        assert!(tokens.iter().all(|token| token.len() == 10 + 43));
    }

    #[test]
    fn a_code_is_read_as_people_type_it() {
        for text in ["12345678", " 1234 5678 ", "1234-5678", "12 34 56 78\n", "１２３４５６７８", "1234\u{a0}5678"] {
            assert!(matches!(read(&text.into()), Read::Code(code) if *code == "12345678"), "{text}");
        }
        let long = "1 ".repeat(1000);
        for text in ["", "1234567", "123456789", "1234567a", "-", "atom_flow_x", "٣٤٥٦٧٨٩٠", &long] {
            assert!(matches!(read(&text.into()), Read::Nothing), "{text}");
        }
        assert!(matches!(read(&link().expect("random")), Read::Link));
    }
}
