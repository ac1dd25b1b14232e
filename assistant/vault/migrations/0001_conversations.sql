-- What a person keeps: conversations with their turns, the sheet of each, and their own settings.

CREATE TABLE conversation (
    id             TEXT PRIMARY KEY,
    flow           TEXT NOT NULL,
    language       TEXT NOT NULL,
    title          TEXT NOT NULL,
    named          INTEGER NOT NULL,            -- 1 if the person gave the title, which then no rule changes
    created        REAL NOT NULL,               -- UTC seconds
    changed        REAL NOT NULL,
    place          INTEGER NOT NULL UNIQUE,     -- order of the last change: a clock can be set back, this cannot
    revision       INTEGER NOT NULL DEFAULT 0,
    sheet_revision INTEGER NOT NULL DEFAULT 0,
    guide          TEXT                         -- where the guide stands, JSON of its own making
) STRICT;

CREATE TABLE turn (
    id              INTEGER PRIMARY KEY,
    conversation_id TEXT NOT NULL REFERENCES conversation (id) ON DELETE CASCADE,
    sequence        INTEGER NOT NULL,
    speaker         TEXT NOT NULL,
    text            TEXT NOT NULL,
    language        TEXT NOT NULL,
    state           TEXT NOT NULL,
    voice           TEXT,
    citations       TEXT NOT NULL,              -- JSON: [{card_id, language, quote}]
    prompt          TEXT NOT NULL,
    UNIQUE (conversation_id, sequence)
) STRICT;

CREATE TABLE entry (
    id              INTEGER PRIMARY KEY,
    conversation_id TEXT NOT NULL REFERENCES conversation (id) ON DELETE CASCADE,
    position        INTEGER NOT NULL,
    element         TEXT NOT NULL,
    text            TEXT NOT NULL,
    turn            INTEGER,                    -- sequence of the turn it came from
    kind            TEXT,
    alternatives    TEXT NOT NULL,              -- JSON: [text]
    rank            INTEGER,
    UNIQUE (conversation_id, position)
) STRICT;

CREATE TABLE setting (
    name  TEXT PRIMARY KEY,
    value TEXT NOT NULL
) STRICT;
