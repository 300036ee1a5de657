-- Imports of what ad conversations led to. Written after their rows, so that an interrupted import has none.
CREATE TABLE IF NOT EXISTS outcome_imports
(
    import_id String,
    -- Of the file, or of what was sent.
    name String,
    -- SHA-256, hexadecimal.
    checksum String,
    imported_at DateTime64(3, 'UTC'),
    imported_by String,
    withdrawn_at Nullable(DateTime64(3, 'UTC')),
    withdrawn_by String,
    version UInt64
)
ENGINE = ReplacingMergeTree(version)
ORDER BY import_id
SETTINGS fsync_after_insert = 1, fsync_part_directory = 1;

-- What an import says. Of several imports about the same outcome the last one that is not withdrawn holds.
CREATE TABLE IF NOT EXISTS outcomes
(
    import_id String,
    -- What tells outcomes apart: the id that they were given, or a hash of all that they say.
    outcome_id String,
    kind LowCardinality(String),
    happened_at DateTime('UTC'),
    -- Empty, as the currency: it has no value.
    value Nullable(Decimal(18, 8)),
    currency LowCardinality(String),
    -- Where it belongs: an entry, a click, or a customer of a number.
    conversation_id String,
    ctwa_clid String,
    phone_number_id String,
    customer String
)
ENGINE = ReplacingMergeTree
ORDER BY (import_id, outcome_id)
SETTINGS fsync_after_insert = 1, fsync_part_directory = 1;
