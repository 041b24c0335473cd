-- The audit log: what was done in a workspace, each entry chained to the one before it. Rows are only ever inserted.
CREATE TABLE atom_audit (
    workspace_id    UUID NOT NULL,
    sequence        BIGINT NOT NULL,
    at              TIMESTAMPTZ NOT NULL,
    action          TEXT NOT NULL,
    user_id         UUID,
    session_id      UUID,
    subject         TEXT,
    -- Text on both engines: its bytes are part of the chain.
    details         TEXT NOT NULL,
    hash            BYTEA NOT NULL,
    PRIMARY KEY (workspace_id, sequence)
);

-- The end of each chain. Whoever appends holds this row until the act is committed.
CREATE TABLE atom_audit_heads (
    workspace_id    UUID PRIMARY KEY,
    sequence        BIGINT NOT NULL,
    hash            BYTEA NOT NULL
);
