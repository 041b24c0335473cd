-- Who asked for a code or a link, as a keyed hash: what one asks for ends nothing that another asked for.
ALTER TABLE atom_email_proofs ADD COLUMN asker_hash BYTEA NOT NULL DEFAULT '';
