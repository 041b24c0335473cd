-- Second factors. They are a user's, in all their workspaces.

-- Authenticator apps. `secret` is sealed. `last_step` is the time step of the last code that was accepted: none is accepted twice.
CREATE TABLE atom_totps (
    id              UUID PRIMARY KEY,
    user_id         UUID NOT NULL REFERENCES atom_users (id) ON DELETE CASCADE,
    name            TEXT,
    secret          BYTEA NOT NULL,
    last_step       BIGINT,
    created_at      TIMESTAMPTZ NOT NULL,
    confirmed_at    TIMESTAMPTZ,
    last_used_at    TIMESTAMPTZ
);
CREATE INDEX atom_totps_of_user ON atom_totps (user_id, id);

-- Recovery codes, of which there is only a keyed hash.
CREATE TABLE atom_recovery_codes (
    user_id         UUID NOT NULL REFERENCES atom_users (id) ON DELETE CASCADE,
    code_hash       BYTEA NOT NULL,
    used_at         TIMESTAMPTZ,
    PRIMARY KEY (user_id, code_hash)
);
