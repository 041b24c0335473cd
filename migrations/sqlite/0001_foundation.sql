-- The first slice: installation, keys, people, sessions, connections.

-- One row: proves that the key ring is the right one before anything else is read.
CREATE TABLE atom_installation (
    id              INTEGER PRIMARY KEY CHECK (id = 1),
    key_check       BLOB NOT NULL,
    created_at      INTEGER NOT NULL
) STRICT;

-- Data keys, wrapped by the key-encryption key. The installation's own keys belong to the nil workspace.
CREATE TABLE atom_data_keys (
    workspace_id    BLOB NOT NULL,
    id              BLOB NOT NULL,
    wrapped         BLOB NOT NULL,
    wrapped_by      TEXT NOT NULL,
    created_at      INTEGER NOT NULL,
    PRIMARY KEY (workspace_id, id)
) STRICT;

-- Keys that sign access tokens. The private half is a sealed record.
CREATE TABLE atom_signing_keys (
    id              BLOB PRIMARY KEY,
    public_key      BLOB NOT NULL,
    private_key     BLOB NOT NULL,
    created_at      INTEGER NOT NULL,
    retired_at      INTEGER
) STRICT;

CREATE TABLE atom_workspaces (
    id              BLOB PRIMARY KEY,
    name            TEXT NOT NULL,
    created_at      INTEGER NOT NULL
) STRICT;

CREATE TABLE atom_users (
    id              BLOB PRIMARY KEY,
    email           TEXT NOT NULL,
    email_canonical TEXT NOT NULL UNIQUE,
    display_name    TEXT,
    password_hash   TEXT,
    created_at      INTEGER NOT NULL,
    disabled_at     INTEGER
) STRICT;

CREATE TABLE atom_memberships (
    workspace_id    BLOB NOT NULL REFERENCES atom_workspaces (id) ON DELETE CASCADE,
    user_id         BLOB NOT NULL REFERENCES atom_users (id) ON DELETE CASCADE,
    role            TEXT NOT NULL,
    created_at      INTEGER NOT NULL,
    PRIMARY KEY (workspace_id, user_id)
) STRICT;
CREATE INDEX atom_memberships_by_user ON atom_memberships (user_id, created_at);

-- A refresh token is (session, counter, MAC): the row holds the newest counter, so the token before it is known as a replay.
CREATE TABLE atom_sessions (
    workspace_id    BLOB NOT NULL,
    id              BLOB NOT NULL,
    user_id         BLOB NOT NULL,
    refresh_key     BLOB NOT NULL,
    refresh_counter INTEGER NOT NULL,
    refreshed_at    INTEGER NOT NULL,
    created_at      INTEGER NOT NULL,
    expires_at      INTEGER NOT NULL,
    revoked_at      INTEGER,
    revoked_because TEXT,
    PRIMARY KEY (workspace_id, id),
    FOREIGN KEY (workspace_id, user_id) REFERENCES atom_memberships (workspace_id, user_id) ON DELETE CASCADE
) STRICT;
CREATE INDEX atom_sessions_by_user ON atom_sessions (workspace_id, user_id);

-- Whatever may be used once: OAuth states now, codes and links later. Only hashes of the keys are stored.
CREATE TABLE atom_single_use (
    kind            TEXT NOT NULL,
    key_hash        BLOB NOT NULL,
    binding_hash    BLOB NOT NULL,
    payload         BLOB NOT NULL,
    expires_at      INTEGER NOT NULL,
    consumed_at     INTEGER,
    PRIMARY KEY (kind, key_hash)
) STRICT;
CREATE INDEX atom_single_use_by_expiry ON atom_single_use (expires_at);

-- Limits that hold over all processes.
CREATE TABLE atom_counters (
    key             TEXT PRIMARY KEY,
    value           INTEGER NOT NULL,
    resets_at       INTEGER NOT NULL
) STRICT;

CREATE TABLE atom_connections (
    workspace_id    BLOB NOT NULL REFERENCES atom_workspaces (id) ON DELETE CASCADE,
    id              BLOB NOT NULL,
    user_id         BLOB NOT NULL,
    provider        TEXT NOT NULL,
    account_id      TEXT NOT NULL,
    email           TEXT,
    label           TEXT,
    state           TEXT NOT NULL,
    state_reason    TEXT,
    facts           TEXT NOT NULL,
    created_at      INTEGER NOT NULL,
    updated_at      INTEGER NOT NULL,
    PRIMARY KEY (workspace_id, id),
    UNIQUE (workspace_id, user_id, provider, account_id),
    FOREIGN KEY (workspace_id, user_id) REFERENCES atom_memberships (workspace_id, user_id) ON DELETE CASCADE
) STRICT;

-- Named token sets of a connection. `revision` grows with every write: a writer that read an older one loses. Whoever holds the
-- lease is asking the provider for the next set; all other processes wait for it.
CREATE TABLE atom_token_sets (
    workspace_id    BLOB NOT NULL,
    connection_id   BLOB NOT NULL,
    name            TEXT NOT NULL,
    scopes          TEXT NOT NULL,
    revision        INTEGER NOT NULL,
    sealed          BLOB NOT NULL,
    expires_at      INTEGER,
    updated_at      INTEGER NOT NULL,
    lease_owner     BLOB,
    lease_until     INTEGER,
    PRIMARY KEY (workspace_id, connection_id, name),
    FOREIGN KEY (workspace_id, connection_id) REFERENCES atom_connections (workspace_id, id) ON DELETE CASCADE
) STRICT;
