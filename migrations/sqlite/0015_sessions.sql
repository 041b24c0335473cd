-- Sessions that show their devices, signing keys that take turns, and guesses at passwords that are counted.

-- What is known of the client is sealed. `recent_uses` has the moments at which the last refresh tokens were first used, newest first.
ALTER TABLE atom_sessions ADD COLUMN client BLOB;
ALTER TABLE atom_sessions ADD COLUMN client_revision INTEGER NOT NULL DEFAULT 0;
ALTER TABLE atom_sessions ADD COLUMN recent_uses TEXT NOT NULL DEFAULT '[]';
CREATE INDEX atom_sessions_of_user ON atom_sessions (user_id, id);
CREATE INDEX atom_sessions_by_expiry ON atom_sessions (expires_at);

-- A key is published before it signs, and its private half goes when it is retired. `succeeded_by` is set once: of all who would rotate, one does.
CREATE TABLE atom_signing_keys_in_turn (
    id              BLOB PRIMARY KEY,
    public_key      BLOB NOT NULL,
    private_key     BLOB,
    created_at      INTEGER NOT NULL,
    signs_from      INTEGER NOT NULL,
    succeeded_by    BLOB,
    retired_at      INTEGER
) STRICT;
INSERT INTO atom_signing_keys_in_turn (id, public_key, private_key, created_at, signs_from, retired_at)
    SELECT id, public_key, private_key, created_at, created_at, retired_at FROM atom_signing_keys;
DROP TABLE atom_signing_keys;
ALTER TABLE atom_signing_keys_in_turn RENAME TO atom_signing_keys;

-- Attempts to sign in that were not right, under the hash of who is tried from where.
CREATE TABLE atom_throttles (
    key             TEXT PRIMARY KEY,
    attempts        INTEGER NOT NULL,
    blocked_until   INTEGER NOT NULL,
    resets_at       INTEGER NOT NULL
) STRICT;
CREATE INDEX atom_throttles_by_reset ON atom_throttles (resets_at);
