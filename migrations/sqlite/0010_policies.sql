-- Who may use which secret for what.
CREATE TABLE atom_secret_policies (
    workspace_id    BLOB NOT NULL REFERENCES atom_workspaces (id) ON DELETE CASCADE,
    name            TEXT NOT NULL,
    policy          TEXT NOT NULL,
    created_at      INTEGER NOT NULL,
    updated_at      INTEGER NOT NULL,
    PRIMARY KEY (workspace_id, name)
) STRICT;

-- The right to make calls with one secret, in the hands of whoever has the token. A lease ends with the membership of who granted it.
CREATE TABLE atom_secret_leases (
    workspace_id    BLOB NOT NULL,
    id              BLOB NOT NULL,
    user_id         BLOB NOT NULL,
    -- SHA-256 of the token, which is stored nowhere.
    token_hash      BLOB NOT NULL,
    -- One of the two, and the name of its provider or service.
    connection_id   BLOB,
    service_key_id  BLOB,
    target          TEXT NOT NULL,
    purpose         TEXT NOT NULL,
    tool            TEXT,
    -- Lists that say nothing when they are empty.
    methods         TEXT NOT NULL,
    path_prefixes   TEXT NOT NULL,
    max_uses        INTEGER,
    use_count       INTEGER NOT NULL,
    last_used_at    INTEGER,
    created_at      INTEGER NOT NULL,
    expires_at      INTEGER NOT NULL,
    -- No renewal reaches beyond.
    ends_at         INTEGER NOT NULL,
    revoked_at      INTEGER,
    PRIMARY KEY (workspace_id, id),
    FOREIGN KEY (workspace_id, user_id) REFERENCES atom_memberships (workspace_id, user_id) ON DELETE CASCADE
) STRICT;
CREATE INDEX atom_secret_leases_by_token ON atom_secret_leases (token_hash);
CREATE INDEX atom_secret_leases_by_end ON atom_secret_leases (expires_at);
CREATE INDEX atom_secret_leases_by_user ON atom_secret_leases (workspace_id, user_id);
