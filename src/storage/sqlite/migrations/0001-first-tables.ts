/** Users, tokens, their journal and audit trail. */
export const firstTables: string = `
  CREATE TABLE users (
    id            TEXT PRIMARY KEY,
    name          TEXT NOT NULL,
    -- Freed when the user is removed; the row stays, because tokens and the audit trail name it.
    name_key      TEXT UNIQUE,
    password_hash TEXT,
    disabled      INTEGER NOT NULL,
    created_at    INTEGER NOT NULL,
    removed_at    INTEGER,
    version       INTEGER NOT NULL
  ) STRICT;

  CREATE INDEX users_disabled ON users (id) WHERE disabled = 1;

  CREATE TABLE tokens (
    id                TEXT PRIMARY KEY,
    user_id           TEXT NOT NULL REFERENCES users (id),
    name              TEXT NOT NULL,
    digest            TEXT NOT NULL UNIQUE,
    pepper_id         TEXT NOT NULL,
    prefix            TEXT NOT NULL,
    scopes            TEXT NOT NULL,
    created_at        INTEGER NOT NULL,
    created_by        TEXT NOT NULL,
    created_from      TEXT,
    expires_at        INTEGER,
    sliding_ms        INTEGER,
    until             INTEGER,
    not_before        INTEGER,
    enabled           INTEGER NOT NULL,
    networks          TEXT NOT NULL,
    delete_unused_ms  INTEGER,
    revoked_at        INTEGER,
    revoked_by        TEXT,
    revoked_why       TEXT,
    last_used_at      INTEGER,
    last_used_address TEXT,
    last_used_client  TEXT,
    version           INTEGER NOT NULL
  ) STRICT;
  CREATE INDEX tokens_of_user ON tokens (user_id, id);
  CREATE INDEX tokens_deleted_unused ON tokens (id) WHERE delete_unused_ms IS NOT NULL AND revoked_at IS NULL;

  -- Every pepper under which a token was ever digested.
  CREATE TABLE peppers (id TEXT PRIMARY KEY) STRICT;

  -- AUTOINCREMENT: a pruned number never comes back, so that readers notice what they have missed.
  CREATE TABLE journal (
    seq     INTEGER PRIMARY KEY AUTOINCREMENT,
    at      INTEGER NOT NULL,
    kind    TEXT NOT NULL,
    id      TEXT NOT NULL,
    version INTEGER NOT NULL
  ) STRICT;
  CREATE INDEX journal_by_time ON journal (at);

  CREATE TABLE audit (
    seq      INTEGER PRIMARY KEY,
    at       INTEGER NOT NULL,
    action   TEXT NOT NULL,
    actor    TEXT NOT NULL,
    user_id  TEXT,
    token_id TEXT,
    details  TEXT NOT NULL
  ) STRICT;
  CREATE INDEX audit_of_token ON audit (token_id, seq) WHERE token_id IS NOT NULL;
  CREATE INDEX audit_of_user ON audit (user_id, seq) WHERE user_id IS NOT NULL;
`;
