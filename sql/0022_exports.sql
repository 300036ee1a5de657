-- Scheduled exports: each change is a row, the highest version of an id holds.
CREATE TABLE IF NOT EXISTS export_schedules
(
    schedule_id String,
    version UInt64,
    name String,
    -- active, paused or removed.
    state LowCardinality(String),
    -- What is exported, when and where to: JSON of the schema `exportDefinition`.
    definition String,
    -- Periods that were due before are nobody's: when it was added, or resumed.
    since DateTime('UTC'),
    changed_at DateTime64(3, 'UTC'),
    changed_by String
)
ENGINE = MergeTree
ORDER BY (schedule_id, version)
SETTINGS fsync_after_insert = 1, fsync_part_directory = 1;

-- What became of each period of a schedule: each step is a row, the highest token and step of a period hold.
CREATE TABLE IF NOT EXISTS export_runs
(
    schedule_id String,
    -- First day and day after the last one; of a report without days the day of the run, and nothing.
    period_from String,
    period_to String,
    -- Of the lease under which it was written.
    token UInt64,
    step UInt32,
    -- running, done, retry or failed.
    state LowCardinality(String),
    attempt UInt32,
    -- When the schedule wanted it; 0: somebody asked for it.
    due_at DateTime('UTC'),
    asked_by String,
    began_at DateTime64(3, 'UTC'),
    ended_at DateTime64(3, 'UTC'),
    next_attempt_at DateTime('UTC'),
    file String,
    rows UInt64,
    bytes UInt64,
    sha256 String,
    manifest_sha256 String,
    -- Amounts by currency and column: JSON.
    totals String,
    is_frozen Bool,
    error String
)
ENGINE = MergeTree
ORDER BY (schedule_id, period_from, period_to, token, step)
SETTINGS fsync_after_insert = 1, fsync_part_directory = 1;
