//! What the offline key signs: a text that names everything that is approved, so that a signature is of use for nothing else.

use super::WAITS;
use super::store::RequestRow;
use crate::crypto::hex;
use chrono::SecondsFormat;
use sha2::{Digest, Sha256};

/// The challenge of a request. Each line is a name and a value, and no value has a line break in it.
pub(super) fn of(row: &RequestRow, reason: &str) -> String {
    let target = match (row.connection_id, row.service_key_id) {
        (Some(id), _) => format!("connection {id} {}", row.token_set.as_deref().unwrap_or_default()),
        (None, id) => format!("service_key {}", id.unwrap_or_default()),
    };
    let expires_at = (row.requested_at.0 + WAITS).to_rfc3339_opts(SecondsFormat::Micros, true);
    let reason = hex(&Sha256::digest(reason)[..]);
    format!(
        "atom emergency approval v1\nworkspace: {}\nrequest: {}\ntarget: {target}\nrequester: {}\nreason_sha256: {reason}\nminutes: {}\nexpires_at: {expires_at}",
        row.workspace_id, row.id, row.requester_id, row.minutes
    )
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::storage::Timestamp;
    use chrono::DateTime;
    use uuid::Uuid;

    fn row() -> RequestRow {
        let at: DateTime<chrono::Utc> = "2026-11-21T08:00:00.25Z".parse().expect("a moment");
        RequestRow {
            workspace_id: Uuid::from_u128(1),
            id: Uuid::from_u128(2),
            requester_id: Uuid::from_u128(3),
            connection_id: Some(Uuid::from_u128(4)),
            token_set: Some("default".into()),
            service_key_id: None,
            user_id: Some(Uuid::from_u128(5)),
            reason: Vec::new(),
            minutes: 30,
            state: "pending".into(),
            requested_at: Timestamp::from(at),
            expires_at: Timestamp::from(at + WAITS),
            granted_at: None,
            ended_at: None,
        }
    }

    #[test]
    fn a_challenge_is_written_as_it_always_was() {
        let expected = "atom emergency approval v1\n\
            workspace: 00000000-0000-0000-0000-000000000001\n\
            request: 00000000-0000-0000-0000-000000000002\n\
            target: connection 00000000-0000-0000-0000-000000000004 default\n\
            requester: 00000000-0000-0000-0000-000000000003\n\
            reason_sha256: ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad\n\
            minutes: 30\n\
            expires_at: 2026-11-22T08:00:00.250000Z";
        assert_eq!(of(&row(), "abc"), expected);
    }

    #[test]
    fn whatever_differs_gives_another_challenge() {
        let challenges = [
            of(&row(), "abc"),
            of(&row(), "abd"),
            of(&RequestRow { workspace_id: Uuid::from_u128(9), ..row() }, "abc"),
            of(&RequestRow { id: Uuid::from_u128(9), ..row() }, "abc"),
            of(&RequestRow { requester_id: Uuid::from_u128(9), ..row() }, "abc"),
            of(&RequestRow { connection_id: Some(Uuid::from_u128(9)), ..row() }, "abc"),
            of(&RequestRow { connection_id: None, service_key_id: Some(Uuid::from_u128(4)), ..row() }, "abc"),
            of(&RequestRow { token_set: Some("user".into()), ..row() }, "abc"),
            of(&RequestRow { minutes: 31, ..row() }, "abc"),
            of(&RequestRow { requested_at: Timestamp::from(row().requested_at.0 + WAITS), ..row() }, "abc"),
        ];
        let distinct: std::collections::HashSet<_> = challenges.iter().collect();
        assert_eq!(distinct.len(), challenges.len());
    }
}
