-- Records of Kafka that were deleted there before they were read: nobody can get them back from it.
CREATE TABLE IF NOT EXISTS lost_records
(
    topic String,
    partition Int32,
    from_offset UInt64,
    -- The offset behind the last of them.
    to_offset UInt64,
    noticed_at DateTime64(3, 'UTC')
)
ENGINE = ReplacingMergeTree(to_offset)
ORDER BY (topic, partition, from_offset)
SETTINGS fsync_after_insert = 1, fsync_part_directory = 1;
