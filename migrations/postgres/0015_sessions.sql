-- Sessions that show their devices, signing keys that take turns, and guesses at passwords that are counted.

-- What is known of the client is sealed. `recent_uses` has the moments at which the last refresh tokens were first used, newest first.
ALTER TABLE atom_sessions ADD COLUMN client BYTEA;
ALTER TABLE atom_sessions ADD COLUMN client_revision BIGINT NOT NULL DEFAULT 0;
ALTER TABLE atom_sessions ADD COLUMN recent_uses JSONB NOT NULL DEFAULT '[]';
CREATE INDEX atom_sessions_of_user ON atom_sessions (user_id, id);
CREATE INDEX atom_sessions_by_expiry ON atom_sessions (expires_at);

-- A key is published before it signs, and its private half goes when it is retired. `succeeded_by` is set once: of all who would rotate, one does.
ALTER TABLE atom_signing_keys ALTER COLUMN private_key DROP NOT NULL;
ALTER TABLE atom_signing_keys ADD COLUMN signs_from TIMESTAMPTZ;
UPDATE atom_signing_keys SET signs_from = created_at;
ALTER TABLE atom_signing_keys ALTER COLUMN signs_from SET NOT NULL;
ALTER TABLE atom_signing_keys ADD COLUMN succeeded_by UUID;

-- Attempts to sign in that were not right, under the hash of who is tried from where.
CREATE TABLE atom_throttles (
    key             TEXT PRIMARY KEY,
    attempts        BIGINT NOT NULL,
    blocked_until   TIMESTAMPTZ NOT NULL,
    resets_at       TIMESTAMPTZ NOT NULL
);
CREATE INDEX atom_throttles_by_reset ON atom_throttles (resets_at);
