-- Templates as Meta lists them: of each account, name and language what was imported last.
CREATE TABLE IF NOT EXISTS templates
(
    -- Empty: the file did not say whose templates they are.
    waba_id String,
    name String,
    language String,
    -- Lower case with _.
    category LowCardinality(String),
    status LowCardinality(String),
    imported_at DateTime64(3, 'UTC'),
    imported_by String
)
ENGINE = ReplacingMergeTree(imported_at)
ORDER BY (waba_id, name, language)
SETTINGS fsync_after_insert = 1, fsync_part_directory = 1;
