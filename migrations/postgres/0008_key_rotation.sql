-- Keys change. The keys that wrap data keys, by their fingerprints: which this database has seen, and which it has done with.
CREATE TABLE atom_wrapping_keys (
    fingerprint     TEXT PRIMARY KEY,
    first_seen_at   TIMESTAMPTZ NOT NULL,
    last_seen_at    TIMESTAMPTZ NOT NULL,
    -- When a process was first opened to wrap with it; none for one that was only given to unwrap.
    in_use_since    TIMESTAMPTZ,
    -- A rotation took the last data key from it. From then on it wraps none.
    retired_at      TIMESTAMPTZ
);
INSERT INTO atom_wrapping_keys (fingerprint, first_seen_at, last_seen_at, in_use_since)
SELECT wrapped_by, min(created_at), max(created_at), min(created_at) FROM atom_data_keys GROUP BY wrapped_by;

-- Of the data keys of a workspace, the one with the highest generation seals.
ALTER TABLE atom_data_keys ADD COLUMN generation BIGINT NOT NULL DEFAULT 1;
-- How many records it has sealed, at most. Nobody has counted until now: a million is more than it can have been.
ALTER TABLE atom_data_keys ADD COLUMN seals BIGINT NOT NULL DEFAULT 1000000;
-- Since when no stored record names it.
ALTER TABLE atom_data_keys ADD COLUMN idle_since TIMESTAMPTZ;
-- `wrapped` is empty from then on.
ALTER TABLE atom_data_keys ADD COLUMN destroyed_at TIMESTAMPTZ;
CREATE UNIQUE INDEX atom_data_keys_by_generation ON atom_data_keys (workspace_id, generation);
CREATE INDEX atom_data_keys_by_wrapping ON atom_data_keys (wrapped_by, workspace_id, id) WHERE destroyed_at IS NULL;
