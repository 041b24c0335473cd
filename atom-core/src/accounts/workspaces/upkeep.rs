//! Finishing departures whose process died.

use super::{members, remove, store};
use crate::accounts::users;
use crate::jobs::Chore;
use std::time::Duration;

/// What a worker does for workspaces.
pub(crate) const CHORE: Chore = Chore {
    name: "departures",
    every: Duration::from_secs(300),
    topic: None,
    run: |inner| {
        Box::pin(async move {
            members::finish_all(&inner).await?;
            for workspace in store::closing(inner.db()?).await? {
                remove::finish(&inner, workspace).await?;
            }
            users::finish_all(&inner).await?;
            Ok(None)
        })
    },
};
