-- Which heading of a file is which column, where somebody said it, by the name under which it is kept. The last one of a name holds.
CREATE TABLE IF NOT EXISTS column_mappings
(
    -- What kind of file it is for: ad spend.
    kind LowCardinality(String),
    name String,
    -- Our column, and the heading that it has in the file.
    columns Map(String, String),
    -- Of all amounts, ISO 4217; empty: the file says it.
    currency LowCardinality(String),
    kept_at DateTime64(3, 'UTC'),
    kept_by String,
    version UInt64
)
ENGINE = ReplacingMergeTree(version)
ORDER BY (kind, name)
SETTINGS fsync_after_insert = 1, fsync_part_directory = 1;
