//! Walking a chain, and the signed checkpoints that show a rewritten one.

use super::chain::{genesis, hash};
use super::{AuditProblem, AuditReport, store};
use crate::crypto::{KeyRing, SigningRing, hex};
use crate::storage::Db;
use crate::{Error, Result, WorkspaceId};
use chrono::{DateTime, Utc};
use serde::{Deserialize, Serialize};
use std::collections::BTreeMap;

/// The `typ` of a checkpoint.
const TYPE: &str = "atom-audit+jwt";
/// How many entries are held in memory at once.
const BATCH: i64 = 5000;

/// How far a chain had come, and the hash that covers all of it.
#[derive(Serialize, Deserialize)]
struct Checkpoint {
    workspace: WorkspaceId,
    sequence: i64,
    hash: String,
    iat: i64,
}

/// The end of the chain as a signed text (a compact JWS), to be kept where the database is not.
pub(crate) async fn checkpoint(
    db: &Db,
    (signing, keys): (&SigningRing, &KeyRing),
    workspace: WorkspaceId,
    now: DateTime<Utc>,
) -> Result<String> {
    let (sequence, hash) = store::head(db, workspace).await?.unwrap_or_else(|| (0, genesis(workspace).to_vec()));
    let checkpoint = Checkpoint { workspace, sequence, hash: hex(&hash), iat: now.timestamp() };
    signing.sign(db, keys, TYPE, &checkpoint, now).await
}

/// Walks the whole chain and compares it with its head and with checkpoints that were kept.
pub(crate) async fn verify(
    db: &Db,
    signing: &SigningRing,
    workspace: WorkspaceId,
    checkpoints: &[String],
) -> Result<AuditReport> {
    let mut kept = BTreeMap::new();
    for text in checkpoints {
        let checkpoint: Option<Checkpoint> = signing.verify_kept(db, TYPE, text).await?;
        let checkpoint = checkpoint.filter(|c| c.workspace == workspace);
        let checkpoint = checkpoint.ok_or_else(|| {
            Error::invalid("unknown_checkpoint", "this is no checkpoint of this workspace: pass the text as it was returned")
        })?;
        kept.insert(checkpoint.sequence, checkpoint.hash);
    }
    let head = store::head(db, workspace).await?;
    let (mut sequence, mut before) = (0, genesis(workspace).to_vec());
    let broken =
        |sequence: i64, problem| AuditReport { intact_entries: sequence, problem: Some(problem), problem_at: Some(sequence + 1) };
    loop {
        let rows = store::after(db, workspace, sequence, BATCH).await?;
        let last = i64::try_from(rows.len()).unwrap_or(BATCH) < BATCH;
        for row in rows {
            if row.sequence != sequence + 1 {
                return Ok(broken(sequence, AuditProblem::Missing));
            }
            if hash(workspace, &before, &row)[..] != row.hash[..] {
                return Ok(broken(sequence, AuditProblem::Altered));
            }
            if kept.get(&row.sequence).is_some_and(|kept| *kept != hex(&row.hash)) {
                return Ok(broken(sequence, AuditProblem::Rewritten));
            }
            (sequence, before) = (row.sequence, row.hash);
        }
        if last {
            break;
        }
    }
    let kept_longer = kept.last_key_value().is_some_and(|(kept, _)| *kept > sequence);
    // The head was read first: what has been appended meanwhile is beyond it.
    let head_differs = match head {
        Some((head, hash)) => head > sequence || (head == sequence && hash != before),
        None => sequence > 0,
    };
    if kept_longer || head_differs {
        return Ok(broken(sequence, AuditProblem::Truncated));
    }
    Ok(AuditReport { intact_entries: sequence, problem: None, problem_at: None })
}
