-- Rejected inputs that somebody has decided to do without. A dismissal names them by a reason and perhaps a source; the
-- letters stay in `dead_letters`. The highest version of a letter holds.
CREATE TABLE IF NOT EXISTS dismissed_letters
(
    source String,
    source_partition Int32,
    position UInt64,
    content_hash UInt64,
    version UInt64,
    -- Of the letters that were dismissed together.
    dismissal_id String,
    -- Whether the dismissal holds; 0: it was undone.
    is_dismissed UInt8,
    reason String,
    changed_by String,
    changed_at DateTime64(3, 'UTC')
)
ENGINE = ReplacingMergeTree(version)
ORDER BY (source, source_partition, position, content_hash)
SETTINGS fsync_after_insert = 1, fsync_part_directory = 1;
