-- Accounts at providers that users sign in with. Whose account it is say the issuer and its subject, never the address.

CREATE TABLE atom_identities (
    id              UUID PRIMARY KEY,
    user_id         UUID NOT NULL REFERENCES atom_users (id) ON DELETE CASCADE,
    provider        TEXT NOT NULL,
    issuer          TEXT NOT NULL,
    subject         TEXT NOT NULL,
    email           TEXT,
    created_at      TIMESTAMPTZ NOT NULL,
    last_used_at    TIMESTAMPTZ,
    UNIQUE (issuer, subject)
);
CREATE INDEX atom_identities_of_user ON atom_identities (user_id, id);
