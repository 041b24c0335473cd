-- Passkeys: of each the public key, in COSE, and how often it says to have signed. The id of its credential is base64url.
CREATE TABLE atom_passkeys (
    id              UUID PRIMARY KEY,
    user_id         UUID NOT NULL REFERENCES atom_users (id) ON DELETE CASCADE,
    name            TEXT,
    credential_id   TEXT NOT NULL UNIQUE,
    public_key      BYTEA NOT NULL,
    sign_count      BIGINT NOT NULL,
    backup_eligible BOOLEAN NOT NULL,
    transports      JSONB NOT NULL,
    created_at      TIMESTAMPTZ NOT NULL,
    last_used_at    TIMESTAMPTZ
);
CREATE INDEX atom_passkeys_of_user ON atom_passkeys (user_id, id);
