//! Inputs that are nearly right. Seeds are taken apart as most formats are written, into words, quoted texts, signs and what stands between
//! brackets, so that what comes out gets past the first character of a parser.

use std::ops::Range;

/// What parsers trip over.
const ODD: &[&str] = &[
    "",
    " ",
    "\n",
    "\0",
    "null",
    "true",
    "-1",
    "0",
    "65536",
    "9223372036854775807",
    "-9223372036854775808",
    "18446744073709551616",
    "1e308",
    "1e999",
    "-0.0",
    "NaN",
    "inf",
    "\"\"",
    "\"\\ud800\"",
    "\"\u{1f600}\u{301}\"",
    "\u{feff}",
    "\u{130}",
    "{}",
    "[]",
    "{",
    "}",
    "[",
    "]",
    "<",
    ">",
    ";",
    ",",
    "=",
    "|",
    "\\",
    "\"",
    "'",
    "{a}",
    "{{",
    "[-1]",
    "[a=b]",
    "..",
    "//",
    "http://other.example/",
    "https://user:password@other.example/",
    "//other.example",
    "javascript:",
    "rel=next",
    "2026-11-28T10:00:00Z",
    "9999-12-31T23:59:60+23:59",
    "-262143-01-01T00:00:00Z",
    "Sat, 31 Dec 262142 23:59:59 -2359",
    "PT1H",
    "99999999999999d",
    "a@b.example",
];
/// How long an input gets.
const LONGEST: usize = 256 * 1024;

/// Makes one input after the other, always the same.
pub(super) struct Mutator {
    seeds: Vec<Vec<Vec<u8>>>,
    state: u64,
}

impl Mutator {
    pub(super) fn new(seeds: &[Vec<u8>]) -> Self {
        assert!(seeds.iter().any(|seed| !seed.is_empty()), "there is nothing to mutate");
        Self { seeds: seeds.iter().map(|seed| split(seed)).collect(), state: 0x9e37_79b9_7f4a_7c15 }
    }

    /// The next input.
    pub(super) fn next(&mut self) -> Vec<u8> {
        // Of three seeds the shortest: more happens to an input that is soon read.
        let some = [(); 3].map(|()| self.below(self.seeds.len()));
        let seed = some.into_iter().min_by_key(|seed| self.seeds[*seed].len()).unwrap_or_default();
        let mut tokens = self.seeds[seed].clone();
        for _ in 0..=self.below(6) {
            self.change(&mut tokens);
        }
        let mut input = tokens.concat();
        if self.below(4) == 0 && !input.is_empty() {
            let (at, byte) = (self.below(input.len()), self.below(256));
            input[at] = u8::try_from(byte).unwrap_or_default();
        }
        input.truncate(LONGEST);
        input
    }

    /// A number below another, by splitmix64.
    fn below(&mut self, bound: usize) -> usize {
        self.state = self.state.wrapping_add(0x9e37_79b9_7f4a_7c15);
        let mut mixed = self.state;
        mixed = (mixed ^ (mixed >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        mixed = (mixed ^ (mixed >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
        usize::try_from((mixed ^ (mixed >> 31)) % bound.max(1) as u64).unwrap_or_default()
    }

    fn change(&mut self, tokens: &mut Vec<Vec<u8>>) {
        let at = self.part(tokens);
        let piece: Vec<Vec<u8>> = tokens[at.clone()].to_vec();
        let with = match self.below(10) {
            0 | 1 => Vec::new(),
            2 => [piece.clone(), piece].concat(),
            3 => self.nested(piece),
            4 => self.repeated(&piece.concat()),
            5 | 6 => vec![ODD[self.below(ODD.len())].as_bytes().to_vec()],
            7 => [piece, vec![ODD[self.below(ODD.len())].as_bytes().to_vec()]].concat(),
            8 => {
                let other = self.below(self.seeds.len());
                let from = self.seeds[other].clone();
                from[self.part(&from)].to_vec()
            }
            _ => {
                let other = self.part(tokens);
                tokens[other].to_vec()
            }
        };
        if with.concat().len() < LONGEST {
            tokens.splice(at, with);
        }
    }

    /// A token, what stands between brackets with them, or some lines.
    fn part(&mut self, tokens: &[Vec<u8>]) -> Range<usize> {
        if tokens.is_empty() {
            return 0..0;
        }
        let from = self.below(tokens.len());
        if self.below(4) == 0 {
            let ends = (from..tokens.len()).filter(|at| tokens[*at] == b"\n");
            let end = ends.take(1 + self.below(4)).last();
            return from..end.map_or(tokens.len(), |end| end + 1);
        }
        from..matching(tokens, from).unwrap_or(from) + 1
    }

    /// Many times, if it is short.
    fn repeated(&mut self, piece: &[u8]) -> Vec<Vec<u8>> {
        let most = (2048 / piece.len().max(1)).min(300);
        vec![piece.repeat(2 + self.below(most))]
    }

    /// In brackets, now and then deeper than anybody reads.
    fn nested(&mut self, piece: Vec<Vec<u8>>) -> Vec<Vec<u8>> {
        let depth = [1, 2, 3, 10, 100, 200, 500, 10_000][self.below(8)];
        let (open, close) = [("[", "]"), ("{\"a\":", "}"), ("{a=", "}"), ("(", ")"), ("<p>", "</p>")][self.below(5)];
        [vec![open.repeat(depth).into_bytes()], piece, vec![close.repeat(depth).into_bytes()]].concat()
    }
}

/// Where the bracket ends that begins at a token.
fn matching(tokens: &[Vec<u8>], from: usize) -> Option<usize> {
    if !matches!(tokens[from].as_slice(), b"{" | b"[" | b"<" | b"(") {
        return None;
    }
    let mut depth = 0_usize;
    for (at, token) in tokens.iter().enumerate().skip(from) {
        match token.as_slice() {
            b"{" | b"[" | b"<" | b"(" => depth += 1,
            b"}" | b"]" | b">" | b")" => depth -= 1,
            _ => {}
        }
        if depth == 0 {
            return Some(at);
        }
    }
    None
}

/// Words, quoted texts, spaces, and every sign for itself.
fn split(text: &[u8]) -> Vec<Vec<u8>> {
    let is_word = |byte: u8| byte.is_ascii_alphanumeric() || matches!(byte, b'_' | b'-' | b'.') || !byte.is_ascii();
    let (mut tokens, mut rest) = (Vec::new(), text);
    while let Some(first) = rest.first() {
        let length = match first {
            b'"' => rest[1..].iter().position(|byte| matches!(byte, b'"' | b'\n')).map_or(1, |end| end + 2),
            b' ' => rest.iter().take_while(|byte| **byte == b' ').count(),
            byte if is_word(*byte) => rest.iter().take_while(|byte| is_word(**byte)).count(),
            _ => 1,
        };
        let (token, after) = rest.split_at(length);
        tokens.push(token.to_vec());
        rest = after;
    }
    tokens
}
