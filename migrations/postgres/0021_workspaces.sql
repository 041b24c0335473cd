-- Workspaces of several people: seats, invitations, and members and workspaces that are about to go.

-- How many members there may be; NULL is any number.
ALTER TABLE atom_workspaces ADD COLUMN seats INTEGER;
-- Since when it is being deleted. Nobody enters it any more; the row stays until what was connected is ended.
ALTER TABLE atom_workspaces ADD COLUMN closing_at TIMESTAMPTZ;
CREATE INDEX atom_workspaces_closing ON atom_workspaces (closing_at) WHERE closing_at IS NOT NULL;
-- Since when the member is leaving. They are none any more; the row stays until what they connected is ended.
ALTER TABLE atom_memberships ADD COLUMN leaving_at TIMESTAMPTZ;
CREATE INDEX atom_memberships_leaving ON atom_memberships (leaving_at) WHERE leaving_at IS NOT NULL;

-- Only the hash of the token is stored, and a new one takes the place of the one before.
CREATE TABLE atom_invitations (
    workspace_id    UUID NOT NULL REFERENCES atom_workspaces (id) ON DELETE CASCADE,
    id              UUID NOT NULL,
    email           TEXT NOT NULL,
    email_canonical TEXT NOT NULL,
    role            TEXT NOT NULL,
    locale          TEXT,
    token_hash      BYTEA NOT NULL UNIQUE,
    invited_by      UUID NOT NULL,
    created_at      TIMESTAMPTZ NOT NULL,
    sent_at         TIMESTAMPTZ NOT NULL,
    expires_at      TIMESTAMPTZ NOT NULL,
    accepted_at     TIMESTAMPTZ,
    accepted_by     UUID,
    revoked_at      TIMESTAMPTZ,
    PRIMARY KEY (workspace_id, id)
);
-- Of an address that is invited again, the newest invitation counts.
CREATE UNIQUE INDEX atom_invitations_open ON atom_invitations (workspace_id, email_canonical)
    WHERE accepted_at IS NULL AND revoked_at IS NULL;
CREATE INDEX atom_invitations_by_expiry ON atom_invitations (expires_at);
