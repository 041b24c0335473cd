//! Values as they stand in a statement without parameters, which the host runs with a driver of its own. All that came from outside
//! stands in it as hexadecimal digits: no driver takes any of it for a placeholder. The host's SQLite may be older than ours, so
//! nothing here needs a function of a newer one.

use chrono::{DateTime, Utc};
use serde_json::Value;
use uuid::Uuid;

/// How one engine reads values.
#[derive(Clone, Copy)]
pub(super) enum Literal {
    Sqlite,
    Pg,
}

impl Literal {
    pub(super) fn bytes(self, bytes: &[u8]) -> String {
        let hex = crate::crypto::hex(bytes);
        match self {
            Self::Sqlite => format!("x'{hex}'"),
            Self::Pg => format!("decode('{hex}', 'hex')"),
        }
    }

    pub(super) fn text(self, text: &str) -> String {
        let bytes = self.bytes(text.as_bytes());
        match self {
            Self::Sqlite => format!("CAST({bytes} AS TEXT)"),
            Self::Pg => format!("convert_from({bytes}, 'UTF8')"),
        }
    }

    pub(super) fn json(self, value: &Value) -> String {
        let text = self.text(&value.to_string());
        match self {
            Self::Sqlite => text,
            Self::Pg => format!("CAST({text} AS jsonb)"),
        }
    }

    pub(super) fn id(self, id: Uuid) -> String {
        match self {
            Self::Sqlite => self.bytes(id.as_bytes()),
            Self::Pg => format!("CAST('{id}' AS uuid)"),
        }
    }

    pub(super) fn moment(self, at: DateTime<Utc>) -> String {
        let micros = super::micros(at);
        match self {
            Self::Sqlite => micros.to_string(),
            Self::Pg => format!("(timestamptz 'epoch' + {micros} * interval '1 microsecond')"),
        }
    }
}
