-- Who may use which secret for what.
CREATE TABLE atom_secret_policies (
    workspace_id    UUID NOT NULL REFERENCES atom_workspaces (id) ON DELETE CASCADE,
    name            TEXT NOT NULL,
    policy          JSONB NOT NULL,
    created_at      TIMESTAMPTZ NOT NULL,
    updated_at      TIMESTAMPTZ NOT NULL,
    PRIMARY KEY (workspace_id, name)
);

-- The right to make calls with one secret, in the hands of whoever has the token. A lease ends with the membership of who granted it.
CREATE TABLE atom_secret_leases (
    workspace_id    UUID NOT NULL,
    id              UUID NOT NULL,
    user_id         UUID NOT NULL,
    -- SHA-256 of the token, which is stored nowhere.
    token_hash      BYTEA NOT NULL,
    -- One of the two, and the name of its provider or service.
    connection_id   UUID,
    service_key_id  UUID,
    target          TEXT NOT NULL,
    purpose         TEXT NOT NULL,
    tool            TEXT,
    -- Lists that say nothing when they are empty.
    methods         JSONB NOT NULL,
    path_prefixes   JSONB NOT NULL,
    max_uses        BIGINT,
    use_count       BIGINT NOT NULL,
    last_used_at    TIMESTAMPTZ,
    created_at      TIMESTAMPTZ NOT NULL,
    expires_at      TIMESTAMPTZ NOT NULL,
    -- No renewal reaches beyond.
    ends_at         TIMESTAMPTZ NOT NULL,
    revoked_at      TIMESTAMPTZ,
    PRIMARY KEY (workspace_id, id),
    FOREIGN KEY (workspace_id, user_id) REFERENCES atom_memberships (workspace_id, user_id) ON DELETE CASCADE
);
CREATE INDEX atom_secret_leases_by_token ON atom_secret_leases (token_hash);
CREATE INDEX atom_secret_leases_by_end ON atom_secret_leases (expires_at);
CREATE INDEX atom_secret_leases_by_user ON atom_secret_leases (workspace_id, user_id);
