-- One small write now and then, which shows that the ledger takes writes. Nothing reads it.
CREATE TABLE IF NOT EXISTS readiness
(
    name String,
    written_at DateTime64(3, 'UTC')
)
ENGINE = ReplacingMergeTree(written_at)
ORDER BY name
SETTINGS fsync_after_insert = 1, fsync_part_directory = 1;
