/** Where users come from, browser sessions, admin keys, one-time links, the token policy, expiry warnings, repeated requests. */
export const selfService: string = `
  ALTER TABLE users ADD COLUMN display_name TEXT;
  ALTER TABLE users ADD COLUMN email TEXT;
  ALTER TABLE users ADD COLUMN language TEXT;
  ALTER TABLE users ADD COLUMN role TEXT NOT NULL DEFAULT 'user';
  ALTER TABLE users ADD COLUMN source TEXT NOT NULL DEFAULT 'local';
  ALTER TABLE users ADD COLUMN subject TEXT;
  -- The source no longer lets this user in; kept apart from what an admin has decided.
  ALTER TABLE users ADD COLUMN lapsed INTEGER NOT NULL DEFAULT 0;
  ALTER TABLE users ADD COLUMN may_have_tokens INTEGER;
  ALTER TABLE users ADD COLUMN signed_in_at INTEGER;
  -- What the source gave us to ask about this user later, sealed.
  ALTER TABLE users ADD COLUMN source_grant TEXT;
  ALTER TABLE users ADD COLUMN source_checked_at INTEGER;
  -- Login name, display name and mail address, folded, one a line: what searches look in.
  ALTER TABLE users ADD COLUMN search_key TEXT NOT NULL DEFAULT '';
  UPDATE users SET search_key = name_key WHERE removed_at IS NULL;
  -- Holds all that a search asks of a user, in the order of the answer.
  CREATE INDEX users_by_search ON users (name_key, search_key, source, role, disabled, lapsed) WHERE removed_at IS NULL;
  CREATE INDEX users_of_role ON users (role, disabled, lapsed) WHERE removed_at IS NULL;
  CREATE UNIQUE INDEX users_of_source ON users (source, subject) WHERE subject IS NOT NULL AND removed_at IS NULL;
  CREATE INDEX users_by_source_check ON users (source, source_checked_at) WHERE subject IS NOT NULL AND removed_at IS NULL;
  DROP INDEX users_disabled;
  CREATE INDEX users_shut_out ON users (id) WHERE disabled = 1 OR lapsed = 1;
  -- Search keys by every three characters of them; rows as in users.
  CREATE VIRTUAL TABLE user_texts USING fts5 (text, content='', contentless_delete=1, detail='none', tokenize='trigram');
  INSERT INTO user_texts (rowid, text) SELECT rowid, search_key FROM users;
  CREATE TRIGGER user_text_added AFTER INSERT ON users BEGIN
    INSERT INTO user_texts (rowid, text) VALUES (new.rowid, new.search_key);
  END;
  CREATE TRIGGER user_text_changed AFTER UPDATE OF search_key ON users WHEN new.search_key <> old.search_key BEGIN
    UPDATE user_texts SET text = new.search_key WHERE rowid = new.rowid;
  END;

  -- Everybody's tokens in each order that lists offer.
  CREATE INDEX tokens_by_name ON tokens (lower(name), id);
  CREATE INDEX tokens_by_use ON tokens (last_used_at, id);
  CREATE INDEX tokens_by_end ON tokens (expires_at, id);
  -- Those in states that few are in, or that lists rarely show.
  CREATE INDEX tokens_revoked ON tokens (id) WHERE revoked_at IS NOT NULL;
  CREATE INDEX tokens_switched_off ON tokens (id) WHERE revoked_at IS NULL AND enabled = 0;

  -- The texts in which everybody's tokens are searched, by every three characters of them; rows as in tokens.
  CREATE VIRTUAL TABLE token_texts USING fts5 (text, content='', contentless_delete=1, detail='none', tokenize='trigram');
  INSERT INTO token_texts (rowid, text)
    SELECT rowid, concat_ws(char(10), name, last_used_client, prefix) FROM tokens;
  CREATE TRIGGER token_text_added AFTER INSERT ON tokens BEGIN
    INSERT INTO token_texts (rowid, text)
      VALUES (new.rowid, concat_ws(char(10), new.name, new.last_used_client, new.prefix));
  END;
  CREATE TRIGGER token_text_changed AFTER UPDATE OF name, last_used_client, prefix ON tokens
    WHEN new.name <> old.name OR new.last_used_client IS NOT old.last_used_client OR new.prefix <> old.prefix BEGIN
    UPDATE token_texts SET text = concat_ws(char(10), new.name, new.last_used_client, new.prefix)
      WHERE rowid = new.rowid;
  END;

  CREATE INDEX audit_of_action ON audit (action, seq);
  CREATE INDEX audit_of_actor ON audit (actor, seq);

  CREATE TABLE sessions (
    id            TEXT PRIMARY KEY,
    user_id       TEXT NOT NULL REFERENCES users (id),
    secret_digest TEXT NOT NULL UNIQUE,
    source        TEXT NOT NULL,
    created_at    INTEGER NOT NULL,
    seen_at       INTEGER NOT NULL,
    ends_at       INTEGER NOT NULL,
    confirmed_at  INTEGER,
    address       TEXT NOT NULL,
    client        TEXT,
    draft         TEXT,
    sign_out      TEXT
  ) STRICT;
  CREATE INDEX sessions_of_user ON sessions (user_id, seen_at);
  CREATE INDEX sessions_by_end ON sessions (ends_at);
  CREATE INDEX sessions_by_sight ON sessions (seen_at);

  CREATE TABLE admin_keys (
    id           TEXT PRIMARY KEY,
    name         TEXT NOT NULL,
    digest       TEXT NOT NULL UNIQUE,
    prefix       TEXT NOT NULL,
    scopes       TEXT NOT NULL,
    created_at   INTEGER NOT NULL,
    created_by   TEXT NOT NULL,
    expires_at   INTEGER,
    revoked_at   INTEGER,
    last_used_at INTEGER
  ) STRICT;

  CREATE TABLE one_time_links (
    digest     TEXT PRIMARY KEY,
    purpose    TEXT NOT NULL,
    user_id    TEXT REFERENCES users (id),
    expires_at INTEGER NOT NULL,
    used_at    INTEGER
  ) STRICT;
  CREATE INDEX one_time_links_by_end ON one_time_links (expires_at);

  CREATE TABLE token_policy (
    id         INTEGER PRIMARY KEY CHECK (id = 1),
    body       TEXT NOT NULL,
    version    INTEGER NOT NULL,
    changed_at INTEGER NOT NULL,
    changed_by TEXT NOT NULL
  ) STRICT;

  -- Answers to requests that may come again; sealed under the key that the client sent with them.
  CREATE TABLE repeated_requests (
    caller         TEXT NOT NULL,
    key_digest     TEXT NOT NULL,
    request_digest TEXT NOT NULL,
    at             INTEGER NOT NULL,
    answer         TEXT,
    PRIMARY KEY (caller, key_digest)
  ) STRICT, WITHOUT ROWID;
  CREATE INDEX repeated_requests_by_time ON repeated_requests (at);

  CREATE TABLE expiry_warnings (
    token_id   TEXT NOT NULL REFERENCES tokens (id),
    expires_at INTEGER NOT NULL,
    days       INTEGER NOT NULL,
    channel    TEXT NOT NULL,
    claimed_at INTEGER NOT NULL,
    tries      INTEGER NOT NULL,
    sent_at    INTEGER,
    PRIMARY KEY (token_id, expires_at, days, channel)
  ) STRICT, WITHOUT ROWID;
  CREATE INDEX expiry_warnings_by_end ON expiry_warnings (expires_at);
`;
