-- Events: what happened in a workspace, for those who follow it. Rows are inserted with the act, and deleted when they are old.
CREATE TABLE atom_events (
    workspace_id    BLOB NOT NULL,
    sequence        INTEGER NOT NULL,
    id              BLOB NOT NULL,
    name            TEXT NOT NULL,
    at              INTEGER NOT NULL,
    subject         TEXT,
    -- The only member whom it concerns; none is all of them.
    user_id         BLOB,
    -- Text on both engines: whoever signs it must find the same bytes again.
    data            TEXT NOT NULL,
    PRIMARY KEY (workspace_id, sequence)
) STRICT;

-- The end of each log, and its oldest event. Whoever appends holds this row until the act is committed.
CREATE TABLE atom_event_heads (
    workspace_id    BLOB PRIMARY KEY,
    sequence        INTEGER NOT NULL,
    oldest          INTEGER NOT NULL,
    -- None where no event is kept.
    oldest_at       INTEGER
) STRICT;
CREATE INDEX atom_event_heads_by_age ON atom_event_heads (oldest_at) WHERE oldest_at IS NOT NULL;
