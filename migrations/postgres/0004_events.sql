-- Events: what happened in a workspace, for those who follow it. Rows are inserted with the act, and deleted when they are old.
CREATE TABLE atom_events (
    workspace_id    UUID NOT NULL,
    sequence        BIGINT NOT NULL,
    id              UUID NOT NULL,
    name            TEXT NOT NULL,
    at              TIMESTAMPTZ NOT NULL,
    subject         TEXT,
    -- The only member whom it concerns; none is all of them.
    user_id         UUID,
    -- Text on both engines: whoever signs it must find the same bytes again.
    data            TEXT NOT NULL,
    PRIMARY KEY (workspace_id, sequence)
);

-- The end of each log, and its oldest event. Whoever appends holds this row until the act is committed.
CREATE TABLE atom_event_heads (
    workspace_id    UUID PRIMARY KEY,
    sequence        BIGINT NOT NULL,
    oldest          BIGINT NOT NULL,
    -- None where no event is kept.
    oldest_at       TIMESTAMPTZ
);
CREATE INDEX atom_event_heads_by_age ON atom_event_heads (oldest_at) WHERE oldest_at IS NOT NULL;
