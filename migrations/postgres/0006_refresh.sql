-- A refresh that no killed process can lose, what is known of a connection's health, and grants that are still to be withdrawn.

-- `asked_at`: the provider was asked for the next set, and no answer has been stored. Set before the request, so that it outlives the process.
ALTER TABLE atom_token_sets ADD COLUMN asked_at TIMESTAMPTZ;
-- How many refreshes have failed since the last that did not; the last failure; and when the provider may be asked again.
ALTER TABLE atom_token_sets ADD COLUMN failures BIGINT NOT NULL DEFAULT 0;
ALTER TABLE atom_token_sets ADD COLUMN failed_at TIMESTAMPTZ;
ALTER TABLE atom_token_sets ADD COLUMN failed_because TEXT;
ALTER TABLE atom_token_sets ADD COLUMN retry_at TIMESTAMPTZ;
-- When the grant is used, lest the provider end it as forgotten.
ALTER TABLE atom_token_sets ADD COLUMN keep_alive_at TIMESTAMPTZ;
CREATE INDEX atom_token_sets_by_keep_alive ON atom_token_sets (keep_alive_at) WHERE keep_alive_at IS NOT NULL;

-- When the user last agreed.
ALTER TABLE atom_connections ADD COLUMN connected_at TIMESTAMPTZ NOT NULL DEFAULT '1970-01-01Z';
UPDATE atom_connections SET connected_at = created_at;

-- Grants that were ended here and are still to be withdrawn at their provider.
CREATE TABLE atom_revocations (
    workspace_id    UUID NOT NULL REFERENCES atom_workspaces (id) ON DELETE CASCADE,
    id              UUID NOT NULL,
    connection_id   UUID NOT NULL,
    user_id         UUID NOT NULL,
    provider        TEXT NOT NULL,
    sealed          BYTEA NOT NULL,
    created_at      TIMESTAMPTZ NOT NULL,
    PRIMARY KEY (workspace_id, id)
);
