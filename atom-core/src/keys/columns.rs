//! Where sealed records stand: the one list of what a new data key must take over.
//!
//! **A table that stores sealed records has a line here**; a test fails without it. Its place must be the one that its domain seals for:
//! a record that is looked for at another place does not open, and the same test fails.

use crate::crypto::{INSTALLATION, Place, length_prefixed};
use crate::storage::{Conn, Db, Timestamp, Tx, on};
use crate::{Result, WorkspaceId};
use chrono::{DateTime, Utc};
use sqlx::{AssertSqlSafe, ColumnIndex, Decode, Row, Type};
use std::fmt::Write as _;
use uuid::Uuid;

/// A column of sealed records.
pub(crate) struct SealedColumn {
    pub(crate) table: &'static str,
    pub(crate) column: &'static str,
    /// Whose data key seals it.
    owner: Owner,
    /// How its records get under a newer data key.
    renewal: Renewal,
}

#[derive(Clone, Copy, PartialEq)]
enum Owner {
    /// The workspace of the row's `workspace_id`.
    Workspace,
    /// The installation itself.
    Installation,
}

enum Renewal {
    /// They are sealed again. `row` is the primary key without the workspace: one column is a place's row as it is, several are a
    /// length-prefixed list.
    Resealed { row: &'static [KeyColumn], version: Option<&'static str> },
    /// They are of no use after this moment, and soon gone.
    Expires { at: &'static str },
}

/// A column of a primary key, or an expression that gives its text.
enum KeyColumn {
    Id(&'static str),
    Text(&'static str),
    Integer(&'static str),
}

use KeyColumn::{Id, Integer, Text};
use Owner::{Installation, Workspace};
use Renewal::{Expires, Resealed};

/// Every column of sealed records.
#[rustfmt::skip]
pub(crate) const COLUMNS: &[SealedColumn] = &[
    SealedColumn { table: "atom_device_flows", column: "sealed", owner: Workspace, renewal: Resealed { row: &[Id("id")], version: None } },
    SealedColumn { table: "atom_email_proofs", column: "sealed", owner: Installation, renewal: Expires { at: "expires_at" } },
    SealedColumn { table: "atom_emergency_requests", column: "reason", owner: Workspace, renewal: Resealed { row: &[Id("id")], version: None } },
    SealedColumn { table: "atom_installation", column: "key_check", owner: Installation, renewal: Resealed { row: &[Text("CAST(id AS TEXT)")], version: None } },
    SealedColumn { table: "atom_mails", column: "sealed", owner: Installation, renewal: Resealed { row: &[Id("id")], version: None } },
    SealedColumn { table: "atom_signing_keys", column: "private_key", owner: Installation, renewal: Resealed { row: &[Id("id")], version: None } },
    SealedColumn { table: "atom_single_use", column: "payload", owner: Installation, renewal: Expires { at: "expires_at" } },
    SealedColumn { table: "atom_revocations", column: "sealed", owner: Installation, renewal: Resealed { row: &[Id("id")], version: None } },
    SealedColumn { table: "atom_service_key_values", column: "sealed", owner: Workspace, renewal: Resealed { row: &[Id("key_id"), Integer("revision")], version: Some("revision") } },
    SealedColumn { table: "atom_sessions", column: "client", owner: Workspace, renewal: Resealed { row: &[Id("id")], version: Some("client_revision") } },
    SealedColumn { table: "atom_sessions", column: "refresh_key", owner: Workspace, renewal: Resealed { row: &[Id("id")], version: None } },
    SealedColumn { table: "atom_totps", column: "secret", owner: Installation, renewal: Resealed { row: &[Id("id")], version: None } },
    SealedColumn { table: "atom_token_sets", column: "sealed", owner: Workspace, renewal: Resealed { row: &[Id("connection_id"), Text("name")], version: Some("revision") } },
    SealedColumn { table: "atom_workspace_providers", column: "sealed", owner: Workspace, renewal: Resealed { row: &[Id("id")], version: Some("revision") } },
    SealedColumn { table: "atom_webhook_keys", column: "sealed", owner: Workspace, renewal: Resealed { row: &[Id("endpoint_id"), Integer("number")], version: None } },
];

impl KeyColumn {
    fn sql(&self) -> &'static str {
        match self {
            Id(sql) | Text(sql) | Integer(sql) => sql,
        }
    }
}

/// A value of a primary key.
#[derive(Clone)]
enum Part {
    Id(Uuid),
    Text(String),
    Integer(i64),
}

impl Part {
    fn bytes(&self) -> Vec<u8> {
        match self {
            Self::Id(id) => id.as_bytes().to_vec(),
            Self::Text(text) => text.clone().into_bytes(),
            Self::Integer(number) => number.to_be_bytes().to_vec(),
        }
    }
}

/// A sealed record and where it stands.
pub(super) struct Record {
    column: &'static SealedColumn,
    workspace: WorkspaceId,
    key: Vec<Part>,
    version: i64,
    pub(super) sealed: Vec<u8>,
}

/// The end of a page of records.
#[derive(Clone)]
pub(super) struct Cursor(Vec<Part>);

impl Record {
    /// The bytes of the place's row.
    pub(super) fn row(&self) -> Vec<u8> {
        let parts: Vec<Vec<u8>> = self.key.iter().map(Part::bytes).collect();
        match parts.as_slice() {
            [one] => one.clone(),
            many => length_prefixed(many.iter().map(Vec::as_slice)),
        }
    }

    pub(super) fn place<'a>(&'a self, row: &'a [u8]) -> Place<'a> {
        let SealedColumn { table, column, .. } = self.column;
        Place { workspace: self.workspace, table, row, field: column, version: self.version }
    }

    pub(super) fn cursor(&self) -> Cursor {
        Cursor(self.key.clone())
    }

    /// Stores it sealed anew, if nobody has written it meanwhile.
    pub(super) async fn replace(&self, tx: &mut Tx, sealed: &[u8]) -> Result<bool> {
        let SealedColumn { table, column, .. } = self.column;
        let mut sql = format!("UPDATE {table} SET {column} = $1 WHERE {column} = $2 AND {}", self.column.owned(3));
        for (i, key) in self.column.keys().iter().enumerate() {
            let _ = write!(sql, " AND {} = ${}", key.sql(), i + 4);
        }
        let changed = on!(tx: tx, c => {
            let mut query = sqlx::query(AssertSqlSafe(sql)).bind(sealed).bind(&self.sealed).bind(self.workspace.0);
            for part in &self.key {
                query = match part {
                    Part::Id(id) => query.bind(*id),
                    Part::Text(text) => query.bind(text),
                    Part::Integer(number) => query.bind(*number),
                };
            }
            query.execute(c).await.map(|done| done.rows_affected())
        })?;
        Ok(changed > 0)
    }
}

impl SealedColumn {
    /// Whether a workspace can have records in it.
    pub(super) fn may_belong_to(&self, workspace: WorkspaceId) -> bool {
        (self.owner == Installation) == (workspace == INSTALLATION)
    }

    fn keys(&self) -> &'static [KeyColumn] {
        match self.renewal {
            Resealed { row, .. } => row,
            Expires { .. } => &[],
        }
    }

    /// The bytes of a record that name its data key.
    fn named(&self) -> String {
        format!("substr({}, 5, 16)", self.column)
    }

    /// The condition that a row belongs to the workspace that is parameter `n`.
    fn owned(&self, n: usize) -> String {
        match self.owner {
            Workspace => format!("workspace_id = ${n}"),
            Installation => format!("${n} = ${n}"),
        }
    }

    /// The next page of records that another data key than `newest` has sealed. Those that expire are none of them.
    pub(super) async fn page(
        &'static self,
        db: &Db,
        workspace: WorkspaceId,
        newest: Uuid,
        after: Option<&Cursor>,
        size: i64,
    ) -> Result<Vec<Record>> {
        let Resealed { row, version } = self.renewal else { return Ok(Vec::new()) };
        let keys = row.iter().map(KeyColumn::sql).collect::<Vec<_>>().join(", ");
        let (table, column) = (self.table, self.column);
        let version = version.unwrap_or("CAST(1 AS BIGINT)");
        let named = self.named();
        let mut sql = format!("SELECT {version}, {column}, {keys} FROM {table} WHERE {} AND {named} <> $2", self.owned(1));
        if after.is_some() {
            let marks: Vec<String> = (0..row.len()).map(|i| format!("${}", i + 4)).collect();
            let _ = write!(sql, " AND ({keys}) > ({})", marks.join(", "));
        }
        let _ = write!(sql, " ORDER BY {keys} LIMIT $3");
        on!(db, c => {
            let mut query = sqlx::query(AssertSqlSafe(sql)).bind(workspace.0).bind(&newest.as_bytes()[..]).bind(size);
            for part in after.iter().flat_map(|cursor| &cursor.0) {
                query = match part {
                    Part::Id(id) => query.bind(*id),
                    Part::Text(text) => query.bind(text),
                    Part::Integer(number) => query.bind(*number),
                };
            }
            query.fetch_all(c).await?.iter().map(|found| self.record(workspace, row, found)).collect()
        })
    }

    fn record<'r, R: Row>(&'static self, workspace: WorkspaceId, keys: &[KeyColumn], row: &'r R) -> Result<Record>
    where
        usize: ColumnIndex<R>,
        i64: Decode<'r, R::Database> + Type<R::Database>,
        String: Decode<'r, R::Database> + Type<R::Database>,
        Uuid: Decode<'r, R::Database> + Type<R::Database>,
        Vec<u8>: Decode<'r, R::Database> + Type<R::Database>,
    {
        let part = |(i, key): (usize, &KeyColumn)| -> Result<Part> {
            Ok(match key {
                Id(_) => Part::Id(row.try_get(i + 2)?),
                Text(_) => Part::Text(row.try_get(i + 2)?),
                Integer(_) => Part::Integer(row.try_get(i + 2)?),
            })
        };
        let key = keys.iter().enumerate().map(part).collect::<Result<_>>()?;
        Ok(Record { column: self, workspace, key, version: row.try_get(0)?, sealed: row.try_get(1)? })
    }

    /// Whether a record of a workspace names a data key.
    pub(super) async fn names(&self, conn: Conn<'_>, workspace: WorkspaceId, key: Uuid, now: DateTime<Utc>) -> Result<bool> {
        let named = self.named();
        let alive = match self.renewal {
            Resealed { .. } => "$3 = $3".to_owned(),
            Expires { at } => format!("{at} > $3"),
        };
        let table = self.table;
        let sql = format!("SELECT CAST(1 AS BIGINT) FROM {table} WHERE {} AND {named} = $2 AND {alive} LIMIT 1", self.owned(1));
        let found: Option<(i64,)> = on!(conn: conn, c => sqlx::query_as(AssertSqlSafe(sql))
            .bind(workspace.0).bind(&key.as_bytes()[..]).bind(Timestamp::from(now)).fetch_optional(c).await)?;
        Ok(found.is_some())
    }
}
