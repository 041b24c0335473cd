-- Secrets that are asked for in an emergency, though nothing lets them out otherwise.
CREATE TABLE atom_emergency_requests (
    workspace_id    UUID NOT NULL REFERENCES atom_workspaces (id) ON DELETE CASCADE,
    id              UUID NOT NULL,
    requester_id    UUID NOT NULL,
    -- What is asked for: a token set of a connection, or a service key.
    connection_id   UUID,
    token_set       TEXT,
    service_key_id  UUID,
    -- The member whose secret it is; NULL where it is the workspace's.
    user_id         UUID,
    -- Why: a sealed record, because it may name people.
    reason          BYTEA NOT NULL,
    minutes         INTEGER NOT NULL,
    -- pending | granted | revealed | denied | cancelled | expired
    state           TEXT NOT NULL,
    requested_at    TIMESTAMPTZ NOT NULL,
    -- Until when approvals may come; once it is granted, until when the secret may be revealed.
    expires_at      TIMESTAMPTZ NOT NULL,
    granted_at      TIMESTAMPTZ,
    ended_at        TIMESTAMPTZ,
    PRIMARY KEY (workspace_id, id),
    CHECK ((connection_id IS NULL) <> (service_key_id IS NULL))
);
CREATE INDEX atom_emergency_requests_by_end ON atom_emergency_requests (expires_at) WHERE ended_at IS NULL;
CREATE INDEX atom_emergency_requests_ended ON atom_emergency_requests (ended_at) WHERE ended_at IS NOT NULL;

CREATE TABLE atom_emergency_approvals (
    workspace_id    UUID NOT NULL,
    request_id      UUID NOT NULL,
    -- The id of a member, or the offline key that signed, in hexadecimal.
    approver        TEXT NOT NULL,
    at              TIMESTAMPTZ NOT NULL,
    PRIMARY KEY (workspace_id, request_id, approver),
    FOREIGN KEY (workspace_id, request_id) REFERENCES atom_emergency_requests (workspace_id, id) ON DELETE CASCADE
);

-- The public key of a workspace whose private half approves offline, and the one that takes its place at a moment. In hexadecimal.
CREATE TABLE atom_emergency_keys (
    workspace_id    UUID PRIMARY KEY REFERENCES atom_workspaces (id) ON DELETE CASCADE,
    public_key      TEXT,
    next_key        TEXT,
    next_from       TIMESTAMPTZ
);
