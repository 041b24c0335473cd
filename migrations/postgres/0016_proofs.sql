-- How users prove who they are, and when they did.

ALTER TABLE atom_users ADD COLUMN email_verified_at TIMESTAMPTZ;
ALTER TABLE atom_users ADD COLUMN locale TEXT;

-- `methods` has each way in which the user of a session has proved who they are, and `proved_at` when last.
ALTER TABLE atom_sessions ADD COLUMN methods JSONB NOT NULL DEFAULT '["password"]';
ALTER TABLE atom_sessions ADD COLUMN proved_at TIMESTAMPTZ NOT NULL DEFAULT 'epoch';
UPDATE atom_sessions SET proved_at = created_at;
