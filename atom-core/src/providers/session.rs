//! How content is uploaded in pieces: a session that begins with a request, takes pieces, and ends with the record.

use super::operation::Service;
use super::path::Path;
use serde::Deserialize;

/// An upload session. The requests that it names stand in the service's `steps`, and know the inputs of the operation, its `{size}` and what
/// stands at each variant of [`Pieces`].
#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct Session {
    /// Content that is longer goes through a session by itself, in bytes.
    pub(crate) above: usize,
    /// The step that begins it.
    pub(crate) begin: String,
    /// How long a piece is, in bytes: a multiple of what the vendor wants.
    pub(crate) piece: usize,
    /// Where the answer to the beginning says how long it is instead.
    pub(crate) piece_path: Option<Path>,
    /// A step that ends the session without a file.
    pub(crate) abort: Option<String>,
    pub(crate) pieces: Pieces,
}

/// Where pieces go, and how the vendor says how far it came.
#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields, rename_all = "snake_case", tag = "by")]
pub(crate) enum Pieces {
    /// They are put to an address, each with its `Content-Range`. The answer to the last one holds the record.
    Url {
        /// Where the answer to the beginning has the address.
        header: Option<String>,
        path: Option<Path>,
        /// Whether it wants the credential. Otherwise the address is one itself, and its host is one of `upload_hosts`.
        #[serde(default)]
        authenticated: bool,
        /// Where an answer lists the ranges that are missing, and a GET of the address asks for it. Left out: the answer is a 308 with `Range`, and
        /// an empty PUT asks for it.
        missing: Option<Path>,
    },
    /// A step takes each: `{session}`, `{offset}`, `{last}`, `{digest}` (SHA-1, in base64). Another one makes a file of them: `{parts}`,
    /// `{whole_digest}`.
    Steps {
        /// Where the answer to the beginning names the session.
        session: Path,
        append: String,
        finish: String,
        /// Where a refusal of a piece says where the next one belongs.
        correct: Option<Path>,
        /// Where the answer to a piece describes it for the end.
        part: Option<Path>,
        /// A step that lists the parts that the vendor has, after the first `{count}`, and the length of each.
        list: Option<Listing>,
    },
}

/// The parts that a vendor has.
#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct Listing {
    pub(crate) step: String,
    pub(crate) items: Path,
    pub(crate) length: Path,
}

impl Session {
    pub(super) fn check(&self, service: &Service) -> Result<(), String> {
        let mut steps = vec![&self.begin];
        steps.extend(&self.abort);
        match &self.pieces {
            Pieces::Url { header, path, .. } if header.is_some() == path.is_some() => {
                return Err("session.pieces: say where the address stands: `header` or `path`".into());
            }
            Pieces::Url { .. } => {}
            Pieces::Steps { append, finish, list, .. } => {
                steps.extend([append, finish]);
                steps.extend(list.iter().map(|list| &list.step));
            }
        }
        if self.piece == 0 {
            return Err("session.piece: it is at least 1".into());
        }
        let unknown = steps.into_iter().find(|step| !service.steps.contains_key(*step));
        unknown.map_or(Ok(()), |step| Err(format!("session: there is no step `{step}`")))
    }
}
