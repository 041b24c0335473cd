-- Links to reset a password: one for each user, the newest. Only the hash of its token is stored, and the hash of the address and the password that it
-- is good for.
CREATE TABLE atom_password_resets (
    user_id         BLOB PRIMARY KEY REFERENCES atom_users (id) ON DELETE CASCADE,
    token_hash      BLOB NOT NULL UNIQUE,
    binding_hash    BLOB NOT NULL,
    expires_at      INTEGER NOT NULL
) STRICT;
CREATE INDEX atom_password_resets_by_expiry ON atom_password_resets (expires_at);
