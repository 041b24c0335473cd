-- Providers that a workspace brings. The manifest and the client are one sealed record: whoever can write the database cannot lead tokens elsewhere.
CREATE TABLE atom_workspace_providers (
    workspace_id    BLOB NOT NULL REFERENCES atom_workspaces (id) ON DELETE CASCADE,
    id              BLOB NOT NULL,
    name            TEXT NOT NULL,
    sealed          BLOB NOT NULL,
    revision        INTEGER NOT NULL,
    created_by      BLOB NOT NULL,
    created_at      INTEGER NOT NULL,
    updated_by      BLOB NOT NULL,
    updated_at      INTEGER NOT NULL,
    PRIMARY KEY (workspace_id, id),
    UNIQUE (workspace_id, name)
) STRICT;

-- Whose provider a connection is of: NULL for one of the installation, which may have the same name some day.
ALTER TABLE atom_connections ADD COLUMN provider_id BLOB;
CREATE INDEX atom_connections_by_provider ON atom_connections (workspace_id, provider_id) WHERE provider_id IS NOT NULL;
