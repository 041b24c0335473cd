-- Providers that a workspace brings. The manifest and the client are one sealed record: whoever can write the database cannot lead tokens elsewhere.
CREATE TABLE atom_workspace_providers (
    workspace_id    UUID NOT NULL REFERENCES atom_workspaces (id) ON DELETE CASCADE,
    id              UUID NOT NULL,
    name            TEXT NOT NULL,
    sealed          BYTEA NOT NULL,
    revision        BIGINT NOT NULL,
    created_by      UUID NOT NULL,
    created_at      TIMESTAMPTZ NOT NULL,
    updated_by      UUID NOT NULL,
    updated_at      TIMESTAMPTZ NOT NULL,
    PRIMARY KEY (workspace_id, id),
    UNIQUE (workspace_id, name)
);

-- Whose provider a connection is of: NULL for one of the installation, which may have the same name some day.
ALTER TABLE atom_connections ADD COLUMN provider_id UUID;
CREATE INDEX atom_connections_by_provider ON atom_connections (workspace_id, provider_id) WHERE provider_id IS NOT NULL;
