//! How a vendor cuts a list into pages.

use super::condition::Condition;
use super::path::Path;
use serde::Deserialize;

/// Where the next page is.
#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields, rename_all = "snake_case", tag = "by")]
pub(crate) enum Pages {
    /// The answer holds a cursor: `{cursor}` in the templates.
    Cursor { next: Path, more: Option<Condition> },
    /// The header `Link` holds a URL (RFC 8288, `rel="next"`).
    Link {},
    /// The answer holds a URL.
    Url { next: Path, more: Option<Condition> },
    /// Items are counted: `{offset}` in the templates.
    Offset {
        #[serde(default)]
        step: Step,
        #[serde(default)]
        start: i64,
        total: Option<Path>,
        more: Option<Condition>,
    },
    /// Pages are counted: `{page}` in the templates.
    Page {
        #[serde(default = "one")]
        start: i64,
        pages: Option<Path>,
        more: Option<Condition>,
    },
    /// The next page begins after the last item of this one, which is named by one of its members: `{cursor}` in the templates.
    Last { key: Path, more: Option<Condition> },
}

impl Pages {
    /// What says that there are more.
    pub(crate) fn more(&self) -> Option<&Condition> {
        match self {
            Self::Cursor { more, .. }
            | Self::Url { more, .. }
            | Self::Offset { more, .. }
            | Self::Page { more, .. }
            | Self::Last { more, .. } => more.as_ref(),
            Self::Link {} => None,
        }
    }
}

/// How far an offset moves on.
#[derive(Clone, Copy, Debug, Default, PartialEq, Deserialize)]
#[serde(rename_all = "snake_case")]
pub(crate) enum Step {
    /// By as many items as came.
    #[default]
    Items,
    /// By as many as were asked for.
    PageSize,
}

fn one() -> i64 {
    1
}
