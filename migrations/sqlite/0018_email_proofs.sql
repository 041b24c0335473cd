-- Proofs of addresses: the codes and links that are mailed. Of the token of a flow, of its code and of its link there are keyed hashes only.
CREATE TABLE atom_email_proofs (
    flow_hash       BLOB PRIMARY KEY,
    -- sign_in_code | magic_link | sign_up | finish_sign_in | verify_email | change_email | step_up
    intent          TEXT NOT NULL,
    address_hash    BLOB NOT NULL,
    user_id         BLOB REFERENCES atom_users (id) ON DELETE CASCADE,
    code_hash       BLOB,
    link_hash       BLOB UNIQUE,
    sealed          BLOB NOT NULL,
    -- How often the code was guessed at. Grows before a guess is looked at.
    tries           INTEGER NOT NULL,
    created_at      INTEGER NOT NULL,
    expires_at      INTEGER NOT NULL,
    -- Used, or replaced by a newer one.
    spent_at        INTEGER
) STRICT;
CREATE INDEX atom_email_proofs_by_address ON atom_email_proofs (address_hash) WHERE spent_at IS NULL;
CREATE INDEX atom_email_proofs_by_user ON atom_email_proofs (user_id) WHERE user_id IS NOT NULL;
CREATE INDEX atom_email_proofs_by_expiry ON atom_email_proofs (expires_at);
