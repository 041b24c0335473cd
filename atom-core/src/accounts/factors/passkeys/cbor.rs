//! The part of CBOR (RFC 8949) that authenticators write: definite lengths, few levels, no tags. Whatever else comes is refused.

/// A value, or why there is none.
pub(super) type Read<T> = Result<T, &'static str>;

/// How deep values may be nested: attestations need three levels, extensions rarely more.
const DEPTH: usize = 8;
/// How many entries a map or a list may have.
const ENTRIES: u64 = 64;

/// A value.
#[derive(Debug, PartialEq)]
pub(super) enum Value {
    Integer(i64),
    Bytes(Vec<u8>),
    Text(String),
    List(Vec<Value>),
    Map(Vec<(Value, Value)>),
    /// A truth value, nothing, or a fraction: nobody here asks which.
    Other,
}

impl Value {
    /// What a map has under a number.
    pub(super) fn at(&self, key: i64) -> Option<&Self> {
        self.find(&Self::Integer(key))
    }

    /// What a map has under a text.
    pub(super) fn named(&self, key: &str) -> Option<&Self> {
        self.find(&Self::Text(key.to_owned()))
    }

    fn find(&self, key: &Self) -> Option<&Self> {
        let Self::Map(entries) = self else { return None };
        entries.iter().find(|(name, _)| name == key).map(|(_, value)| value)
    }

    pub(super) fn integer(&self) -> Option<i64> {
        if let Self::Integer(number) = self { Some(*number) } else { None }
    }

    pub(super) fn bytes(&self) -> Option<&[u8]> {
        if let Self::Bytes(bytes) = self { Some(bytes) } else { None }
    }

    pub(super) fn text(&self) -> Option<&str> {
        if let Self::Text(text) = self { Some(text) } else { None }
    }
}

/// The one value that these bytes are.
pub(super) fn only(bytes: &[u8]) -> Read<Value> {
    let (value, rest) = first(bytes)?;
    if rest.is_empty() { Ok(value) } else { Err("there is more in it than there should be") }
}

/// The value that these bytes begin with, and what comes after it.
pub(super) fn first(bytes: &[u8]) -> Read<(Value, &[u8])> {
    let mut reader = Reader { rest: bytes };
    let value = reader.value(DEPTH)?;
    Ok((value, reader.rest))
}

struct Reader<'a> {
    rest: &'a [u8],
}

const CUT_OFF: &str = "it is cut off";
const UNUSUAL: &str = "it is written in a way that no authenticator writes";

impl<'a> Reader<'a> {
    fn take(&mut self, count: u64) -> Read<&'a [u8]> {
        let count = usize::try_from(count).map_err(|_| CUT_OFF)?;
        let (taken, rest) = self.rest.split_at_checked(count).ok_or(CUT_OFF)?;
        self.rest = rest;
        Ok(taken)
    }

    fn number(&mut self, bytes: u64) -> Read<u64> {
        Ok(self.take(bytes)?.iter().fold(0, |number, byte| (number << 8) | u64::from(*byte)))
    }

    /// The kind of the next value, and its number: what it is, or how long.
    fn head(&mut self) -> Read<(u8, u8, u64)> {
        let first = self.take(1)?[0];
        let (major, short) = (first >> 5, first & 0x1f);
        let number = match short {
            0..=23 => u64::from(short),
            24..=27 => self.number(1 << (short - 24))?,
            _ => return Err(UNUSUAL),
        };
        Ok((major, short, number))
    }

    fn value(&mut self, depth: usize) -> Read<Value> {
        let depth = depth.checked_sub(1).ok_or(UNUSUAL)?;
        let (major, short, number) = self.head()?;
        let integer = |number: u64| i64::try_from(number).map_err(|_| UNUSUAL);
        match major {
            0 => Ok(Value::Integer(integer(number)?)),
            1 => Ok(Value::Integer(-1 - integer(number)?)),
            2 => Ok(Value::Bytes(self.take(number)?.to_vec())),
            3 => {
                let text = std::str::from_utf8(self.take(number)?).map_err(|_| UNUSUAL)?;
                Ok(Value::Text(text.to_owned()))
            }
            4 | 5 if number > ENTRIES => Err(UNUSUAL),
            4 => (0..number).map(|_| self.value(depth)).collect::<Read<_>>().map(Value::List),
            5 => self.map(number, depth),
            7 if short != 24 || number >= 32 => Ok(Value::Other),
            _ => Err(UNUSUAL),
        }
    }

    fn map(&mut self, count: u64, depth: usize) -> Read<Value> {
        let mut entries: Vec<(Value, Value)> = Vec::new();
        for _ in 0..count {
            let (key, value) = (self.value(depth)?, self.value(depth)?);
            if entries.iter().any(|(other, _)| *other == key) {
                return Err("it says something twice");
            }
            entries.push((key, value));
        }
        Ok(Value::Map(entries))
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::crypto::from_hex;

    fn read(hex: &str) -> Read<Value> {
        only(&from_hex(hex).expect("hexadecimal"))
    }

    #[test]
    fn the_examples_of_rfc_8949_are_read() {
        let text = |text: &str| Value::Text(text.into());
        for (hex, expected) in [
            ("00", Value::Integer(0)),
            ("17", Value::Integer(23)),
            ("1818", Value::Integer(24)),
            ("1903e8", Value::Integer(1000)),
            ("1a000f4240", Value::Integer(1_000_000)),
            ("1b000000e8d4a51000", Value::Integer(1_000_000_000_000)),
            ("20", Value::Integer(-1)),
            ("3903e7", Value::Integer(-1000)),
            ("40", Value::Bytes(vec![])),
            ("4401020304", Value::Bytes(vec![1, 2, 3, 4])),
            ("60", text("")),
            ("6449455446", text("IETF")),
            ("62c3bc", text("\u{fc}")),
            ("80", Value::List(vec![])),
            ("83010203", Value::List(vec![Value::Integer(1), Value::Integer(2), Value::Integer(3)])),
            ("a201020304", Value::Map(vec![(Value::Integer(1), Value::Integer(2)), (Value::Integer(3), Value::Integer(4))])),
            ("f4", Value::Other),
            ("f6", Value::Other),
            ("f8ff", Value::Other),
            ("f93c00", Value::Other),
            ("fb3ff199999999999a", Value::Other),
        ] {
            assert_eq!(read(hex).expect(hex), expected, "{hex}");
        }
        let map = read("a26161016162820203").expect("a map");
        assert_eq!(map.named("a"), Some(&Value::Integer(1)));
        assert_eq!(map.named("c"), None);
    }

    #[test]
    fn what_no_authenticator_writes_is_refused() {
        for hex in [
            "",
            "18",
            "1b00",
            "1bffffffffffffffff",
            "3bffffffffffffffff",
            "41",
            "5bffffffffffffffff",
            "61ff",
            "81",
            "a101",
            "0000",
            "a201020103",
            "5f",
            "7f",
            "9f",
            "bf",
            "ff",
            "c000",
            "f818",
            "fc",
            "9b00000000ffffffff",
            "8181818181818181818100",
        ] {
            read(hex).expect_err(hex);
        }
    }
}
