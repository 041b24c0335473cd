-- The mail that the installation sends: what became of it and, until it was sent or has failed, the mail itself as a sealed record. It belongs to the
-- installation; a workspace is only what it is about.
CREATE TABLE atom_mails (
    id              BLOB PRIMARY KEY,
    kind            TEXT NOT NULL,
    locale          TEXT NOT NULL,
    -- Masked: a***@example.com.
    recipient       TEXT NOT NULL,
    -- NULL when it was sent or has failed.
    sealed          BLOB,
    -- queued | sent | failed | bounced | complained
    state           TEXT NOT NULL,
    user_id         BLOB REFERENCES atom_users (id) ON DELETE SET NULL,
    workspace_id    BLOB REFERENCES atom_workspaces (id) ON DELETE SET NULL,
    created_at      INTEGER NOT NULL,
    expires_at      INTEGER NOT NULL,
    -- Until when an attempt has it for itself, by the database's clock.
    lease_until     INTEGER NOT NULL,
    attempts        INTEGER NOT NULL,
    -- Grows with each attempt: whoever shows an older one writes nothing.
    fence           INTEGER NOT NULL,
    -- Whether a job makes the next attempt.
    has_job         INTEGER NOT NULL,
    -- What the service called it.
    receipt_id      TEXT,
    -- Why the last attempt failed, or what was reported.
    reason          TEXT,
    explanation     TEXT,
    sent_at         INTEGER,
    failed_at       INTEGER
) STRICT;
CREATE INDEX atom_mails_queued ON atom_mails (lease_until) WHERE state = 'queued';
CREATE INDEX atom_mails_by_receipt ON atom_mails (receipt_id) WHERE receipt_id IS NOT NULL;
CREATE INDEX atom_mails_by_user ON atom_mails (user_id, id) WHERE user_id IS NOT NULL;
CREATE INDEX atom_mails_by_workspace ON atom_mails (workspace_id) WHERE workspace_id IS NOT NULL;
CREATE INDEX atom_mails_by_age ON atom_mails (created_at);
