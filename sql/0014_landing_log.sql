-- The sum of the tokens of all landings, modulo 2^64: two readings that are equal say that nobody landed in between. A
-- landing is entered here when its events can be seen. On disk before its writer goes on: events that outlive a power cut
-- must not be forgotten here.
CREATE TABLE IF NOT EXISTS landing_log
(
    -- Always 0: rows are summed under one key.
    log UInt8,
    token UInt64,
    -- When something small was landed last, by the clock of whoever keeps the rows; of the large ones `touched` tells it.
    landed_at SimpleAggregateFunction(max, DateTime('UTC'))
)
ENGINE = SummingMergeTree
ORDER BY log
SETTINGS fsync_after_insert = 1, fsync_part_directory = 1;

-- What recent landings touched, for who finds that others landed. One that is not here any more may have touched anything.
CREATE TABLE IF NOT EXISTS recent_landings
(
    token UInt64,
    -- Hashes of threads and messages (services/ledger/events/keys.ts); none are listed of a large landing.
    keys Array(UInt32),
    touches_all UInt8,
    -- The clock of whoever keeps the rows.
    landed_at DateTime('UTC') DEFAULT now('UTC')
)
ENGINE = MergeTree
PARTITION BY toStartOfTenMinutes(landed_at)
ORDER BY (landed_at, token)
TTL landed_at + INTERVAL 10 MINUTE
SETTINGS ttl_only_drop_parts = 1;

CREATE MATERIALIZED VIEW IF NOT EXISTS log_of_landings TO landing_log AS
SELECT 0 AS log, token, if(touches_all = 1, toDateTime(0, 'UTC'), recent_landings.landed_at) AS landed_at FROM recent_landings;

-- Landings that were promised to somebody as kept and whose marks their writer still owes: whoever writes next pays what
-- a writer leaves that is gone.
CREATE TABLE IF NOT EXISTS owed_landings
(
    landing UInt64,
    writer String,
    is_folded UInt8,
    noted_at DateTime('UTC') DEFAULT now('UTC')
)
ENGINE = ReplacingMergeTree(is_folded)
ORDER BY landing
TTL noted_at + INTERVAL 1 DAY DELETE WHERE is_folded = 1
SETTINGS fsync_after_insert = 1, fsync_part_directory = 1;
