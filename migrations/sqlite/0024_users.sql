-- What else is known of users, by whom it may be written, and users that are about to go.

-- `user_metadata` is the user's to change, `app_metadata` the operator's only.
ALTER TABLE atom_users ADD COLUMN user_metadata TEXT NOT NULL DEFAULT '{}';
ALTER TABLE atom_users ADD COLUMN app_metadata TEXT NOT NULL DEFAULT '{}';
-- What the operator said when they disabled the account.
ALTER TABLE atom_users ADD COLUMN disabled_reason TEXT;
-- Since when the user is being erased. Nothing personal is left in the row; it stays until what was connected is ended.
ALTER TABLE atom_users ADD COLUMN erased_at INTEGER;
CREATE INDEX atom_users_erased ON atom_users (erased_at) WHERE erased_at IS NOT NULL;
