-- Reports of closed months, as they were made: printed again they are the same bytes, whatever became known since. Written after
-- its files, so that one that was interrupted does not exist. The first of a closing holds.
CREATE TABLE IF NOT EXISTS closed_reports
(
    period_id String,
    report_id String,
    made_at DateTime64(3, 'UTC'),
    made_by String,
    -- JSON: the closing, and each file with its size and SHA-256.
    manifest String
)
ENGINE = ReplacingMergeTree
ORDER BY (period_id, report_id)
SETTINGS fsync_after_insert = 1, fsync_part_directory = 1;

CREATE TABLE IF NOT EXISTS closed_report_files
(
    report_id String,
    name String,
    part UInt32,
    -- Base64.
    bytes String CODEC(ZSTD(3))
)
ENGINE = ReplacingMergeTree
ORDER BY (report_id, name, part)
SETTINGS fsync_after_insert = 1, fsync_part_directory = 1;
