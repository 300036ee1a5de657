-- Names of customers that were erased: what they are recognised by when they come again, and what stands in their place. No name
-- can be read from it; who also has the ledger's secret can ask whether a name is among them.
CREATE TABLE IF NOT EXISTS erased_names
(
    -- Empty: at every business number.
    phone_number_id String,
    -- Keyed hash of the name, hexadecimal.
    digest String,
    token String
)
ENGINE = ReplacingMergeTree
ORDER BY (phone_number_id, digest)
SETTINGS fsync_after_insert = 1, fsync_part_directory = 1;

-- Erasures, each when it began and again when it was done. The highest version holds.
CREATE TABLE IF NOT EXISTS erasures
(
    erasure_id String,
    -- 1 = begun, 2 = done.
    version UInt8,
    began_at DateTime64(3, 'UTC'),
    ended_at Nullable(DateTime64(3, 'UTC')),
    erased_by String,
    -- Empty: at every business number.
    phone_number_id String,
    tokens Array(String),
    -- Rows of tables that were rewritten.
    rows UInt64,
    -- Exported files that may name the customer: they were written before, and are not changed.
    files Array(String)
)
ENGINE = ReplacingMergeTree(version)
ORDER BY erasure_id
SETTINGS fsync_after_insert = 1, fsync_part_directory = 1;

-- The names of erasures that are not done, so that one that was interrupted finds all of them again. Emptied at the end.
CREATE TABLE IF NOT EXISTS erasures_under_way
(
    erasure_id String,
    names Array(String)
)
ENGINE = MergeTree
ORDER BY erasure_id
SETTINGS fsync_after_insert = 1, fsync_part_directory = 1;

-- What the digests are keyed by. Empty where the secret is in the environment of whoever writes: then only its check is here.
CREATE TABLE IF NOT EXISTS erasure_key
(
    place UInt8 DEFAULT 0,
    secret String,
    check String
)
ENGINE = ReplacingMergeTree
ORDER BY place
SETTINGS fsync_after_insert = 1, fsync_part_directory = 1;
