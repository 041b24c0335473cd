-- API keys of other services that a workspace, or one of its members, keeps here.
CREATE TABLE atom_service_keys (
    workspace_id    UUID NOT NULL REFERENCES atom_workspaces (id) ON DELETE CASCADE,
    id              UUID NOT NULL,
    -- The member whose key it is; NULL where it is the workspace's.
    user_id         UUID,
    service         TEXT NOT NULL,
    name            TEXT NOT NULL,
    -- The last characters of the value, where it is long enough to give nothing away.
    hint            TEXT,
    -- How the value is put into a request, and the hosts it may be sent to.
    placement       JSONB NOT NULL,
    hosts           JSONB NOT NULL,
    exportable      BOOLEAN NOT NULL,
    -- Grows with every change: a writer that read an older one loses.
    revision        BIGINT NOT NULL,
    expires_at      TIMESTAMPTZ,
    rotate_every_days INTEGER,
    use_count       BIGINT NOT NULL,
    last_used_at    TIMESTAMPTZ,
    created_at      TIMESTAMPTZ NOT NULL,
    updated_at      TIMESTAMPTZ NOT NULL,
    rotated_at      TIMESTAMPTZ NOT NULL,
    PRIMARY KEY (workspace_id, id),
    FOREIGN KEY (workspace_id, user_id) REFERENCES atom_memberships (workspace_id, user_id) ON DELETE CASCADE
);
CREATE UNIQUE INDEX atom_service_keys_of_users ON atom_service_keys (workspace_id, user_id, service, name) WHERE user_id IS NOT NULL;
CREATE UNIQUE INDEX atom_service_keys_of_workspaces ON atom_service_keys (workspace_id, service, name) WHERE user_id IS NULL;

-- The values of a key: the newest, and the one before it until it is destroyed. Sealed records.
CREATE TABLE atom_service_key_values (
    workspace_id    UUID NOT NULL,
    key_id          UUID NOT NULL,
    -- The key's revision when it was stored.
    revision        BIGINT NOT NULL,
    sealed          BYTEA NOT NULL,
    -- When it is destroyed; NULL for the newest.
    expires_at      TIMESTAMPTZ,
    PRIMARY KEY (workspace_id, key_id, revision),
    FOREIGN KEY (workspace_id, key_id) REFERENCES atom_service_keys (workspace_id, id) ON DELETE CASCADE
);
CREATE INDEX atom_service_key_values_by_end ON atom_service_key_values (expires_at) WHERE expires_at IS NOT NULL;

-- What will be told of a key, and when. Whoever deletes the row tells it.
CREATE TABLE atom_service_key_notices (
    workspace_id    UUID NOT NULL,
    key_id          UUID NOT NULL,
    -- expiring | expired | rotation_due
    notice          TEXT NOT NULL,
    at              TIMESTAMPTZ NOT NULL,
    PRIMARY KEY (workspace_id, key_id, notice),
    FOREIGN KEY (workspace_id, key_id) REFERENCES atom_service_keys (workspace_id, id) ON DELETE CASCADE
);
CREATE INDEX atom_service_key_notices_by_moment ON atom_service_key_notices (at);
