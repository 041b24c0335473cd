-- The first slice: installation, keys, people, sessions, connections.

-- One row: proves that the key ring is the right one before anything else is read.
CREATE TABLE atom_installation (
    id              INTEGER PRIMARY KEY CHECK (id = 1),
    key_check       BYTEA NOT NULL,
    created_at      TIMESTAMPTZ NOT NULL
);

-- Data keys, wrapped by the key-encryption key. The installation's own keys belong to the nil workspace.
CREATE TABLE atom_data_keys (
    workspace_id    UUID NOT NULL,
    id              UUID NOT NULL,
    wrapped         BYTEA NOT NULL,
    wrapped_by      TEXT NOT NULL,
    created_at      TIMESTAMPTZ NOT NULL,
    PRIMARY KEY (workspace_id, id)
);

-- Keys that sign access tokens. The private half is a sealed record.
CREATE TABLE atom_signing_keys (
    id              UUID PRIMARY KEY,
    public_key      BYTEA NOT NULL,
    private_key     BYTEA NOT NULL,
    created_at      TIMESTAMPTZ NOT NULL,
    retired_at      TIMESTAMPTZ
);

CREATE TABLE atom_workspaces (
    id              UUID PRIMARY KEY,
    name            TEXT NOT NULL,
    created_at      TIMESTAMPTZ NOT NULL
);

CREATE TABLE atom_users (
    id              UUID PRIMARY KEY,
    email           TEXT NOT NULL,
    email_canonical TEXT NOT NULL UNIQUE,
    display_name    TEXT,
    password_hash   TEXT,
    created_at      TIMESTAMPTZ NOT NULL,
    disabled_at     TIMESTAMPTZ
);

CREATE TABLE atom_memberships (
    workspace_id    UUID NOT NULL REFERENCES atom_workspaces (id) ON DELETE CASCADE,
    user_id         UUID NOT NULL REFERENCES atom_users (id) ON DELETE CASCADE,
    role            TEXT NOT NULL,
    created_at      TIMESTAMPTZ NOT NULL,
    PRIMARY KEY (workspace_id, user_id)
);
CREATE INDEX atom_memberships_by_user ON atom_memberships (user_id, created_at);

-- A refresh token is (session, counter, MAC): the row holds the newest counter, so the token before it is known as a replay.
CREATE TABLE atom_sessions (
    workspace_id    UUID NOT NULL,
    id              UUID NOT NULL,
    user_id         UUID NOT NULL,
    refresh_key     BYTEA NOT NULL,
    refresh_counter BIGINT NOT NULL,
    refreshed_at    TIMESTAMPTZ NOT NULL,
    created_at      TIMESTAMPTZ NOT NULL,
    expires_at      TIMESTAMPTZ NOT NULL,
    revoked_at      TIMESTAMPTZ,
    revoked_because TEXT,
    PRIMARY KEY (workspace_id, id),
    FOREIGN KEY (workspace_id, user_id) REFERENCES atom_memberships (workspace_id, user_id) ON DELETE CASCADE
);
CREATE INDEX atom_sessions_by_user ON atom_sessions (workspace_id, user_id);

-- Whatever may be used once: OAuth states now, codes and links later. Only hashes of the keys are stored.
CREATE TABLE atom_single_use (
    kind            TEXT NOT NULL,
    key_hash        BYTEA NOT NULL,
    binding_hash    BYTEA NOT NULL,
    payload         BYTEA NOT NULL,
    expires_at      TIMESTAMPTZ NOT NULL,
    consumed_at     TIMESTAMPTZ,
    PRIMARY KEY (kind, key_hash)
);
CREATE INDEX atom_single_use_by_expiry ON atom_single_use (expires_at);

-- Limits that hold over all processes.
CREATE TABLE atom_counters (
    key             TEXT PRIMARY KEY,
    value           BIGINT NOT NULL,
    resets_at       TIMESTAMPTZ NOT NULL
);

CREATE TABLE atom_connections (
    workspace_id    UUID NOT NULL REFERENCES atom_workspaces (id) ON DELETE CASCADE,
    id              UUID NOT NULL,
    user_id         UUID NOT NULL,
    provider        TEXT NOT NULL,
    account_id      TEXT NOT NULL,
    email           TEXT,
    label           TEXT,
    state           TEXT NOT NULL,
    state_reason    TEXT,
    facts           JSONB NOT NULL,
    created_at      TIMESTAMPTZ NOT NULL,
    updated_at      TIMESTAMPTZ NOT NULL,
    PRIMARY KEY (workspace_id, id),
    UNIQUE (workspace_id, user_id, provider, account_id),
    FOREIGN KEY (workspace_id, user_id) REFERENCES atom_memberships (workspace_id, user_id) ON DELETE CASCADE
);

-- Named token sets of a connection. `revision` grows with every write: a writer that read an older one loses. Whoever holds the
-- lease is asking the provider for the next set; all other processes wait for it.
CREATE TABLE atom_token_sets (
    workspace_id    UUID NOT NULL,
    connection_id   UUID NOT NULL,
    name            TEXT NOT NULL,
    scopes          JSONB NOT NULL,
    revision        BIGINT NOT NULL,
    sealed          BYTEA NOT NULL,
    expires_at      TIMESTAMPTZ,
    updated_at      TIMESTAMPTZ NOT NULL,
    lease_owner     UUID,
    lease_until     TIMESTAMPTZ,
    PRIMARY KEY (workspace_id, connection_id, name),
    FOREIGN KEY (workspace_id, connection_id) REFERENCES atom_connections (workspace_id, id) ON DELETE CASCADE
);
