-- Second factors. They are a user's, in all their workspaces.

-- Authenticator apps. `secret` is sealed. `last_step` is the time step of the last code that was accepted: none is accepted twice.
CREATE TABLE atom_totps (
    id              BLOB PRIMARY KEY,
    user_id         BLOB NOT NULL REFERENCES atom_users (id) ON DELETE CASCADE,
    name            TEXT,
    secret          BLOB NOT NULL,
    last_step       INTEGER,
    created_at      INTEGER NOT NULL,
    confirmed_at    INTEGER,
    last_used_at    INTEGER
) STRICT;
CREATE INDEX atom_totps_of_user ON atom_totps (user_id, id);

-- Recovery codes, of which there is only a keyed hash.
CREATE TABLE atom_recovery_codes (
    user_id         BLOB NOT NULL REFERENCES atom_users (id) ON DELETE CASCADE,
    code_hash       BLOB NOT NULL,
    used_at         INTEGER,
    PRIMARY KEY (user_id, code_hash)
) STRICT;
