-- Passkeys: of each the public key, in COSE, and how often it says to have signed. The id of its credential is base64url.
CREATE TABLE atom_passkeys (
    id              BLOB PRIMARY KEY,
    user_id         BLOB NOT NULL REFERENCES atom_users (id) ON DELETE CASCADE,
    name            TEXT,
    credential_id   TEXT NOT NULL UNIQUE,
    public_key      BLOB NOT NULL,
    sign_count      INTEGER NOT NULL,
    backup_eligible INTEGER NOT NULL,
    transports      TEXT NOT NULL,
    created_at      INTEGER NOT NULL,
    last_used_at    INTEGER
) STRICT;
CREATE INDEX atom_passkeys_of_user ON atom_passkeys (user_id, id);
