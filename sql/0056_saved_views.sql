-- Views of pages that somebody saved under a name: a page, and the end of its address. The highest version of a view holds.
CREATE TABLE IF NOT EXISTS saved_views
(
    view_id String,
    version UInt64,
    is_removed UInt8,
    name String,
    -- Route of the page.
    at LowCardinality(String),
    -- Without a question mark.
    query String,
    changed_by String,
    changed_at DateTime64(3, 'UTC')
)
ENGINE = ReplacingMergeTree(version)
ORDER BY view_id
SETTINGS fsync_after_insert = 1, fsync_part_directory = 1;
