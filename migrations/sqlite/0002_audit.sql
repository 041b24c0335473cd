-- The audit log: what was done in a workspace, each entry chained to the one before it. Rows are only ever inserted.
CREATE TABLE atom_audit (
    workspace_id    BLOB NOT NULL,
    sequence        INTEGER NOT NULL,
    at              INTEGER NOT NULL,
    action          TEXT NOT NULL,
    user_id         BLOB,
    session_id      BLOB,
    subject         TEXT,
    -- Text on both engines: its bytes are part of the chain.
    details         TEXT NOT NULL,
    hash            BLOB NOT NULL,
    PRIMARY KEY (workspace_id, sequence)
) STRICT;

-- The end of each chain. Whoever appends holds this row until the act is committed.
CREATE TABLE atom_audit_heads (
    workspace_id    BLOB PRIMARY KEY,
    sequence        INTEGER NOT NULL,
    hash            BLOB NOT NULL
) STRICT;
