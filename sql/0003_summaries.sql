-- Quarter hours in which some row has or had a time and whose summary is to be recomputed.
CREATE TABLE IF NOT EXISTS dirty_cells
(
    stamp UInt64,
    phone_number_id LowCardinality(String),
    cell_at DateTime('UTC')
)
ENGINE = MergeTree
ORDER BY (stamp, phone_number_id, cell_at)
SETTINGS fsync_after_insert = 1, fsync_part_directory = 1;

-- Sums per quarter hour UTC x number x ad; every zone's day is a sum of these. Recomputed whole, never added to.
CREATE TABLE IF NOT EXISTS summary_cells
(
    phone_number_id LowCardinality(String),
    cell_at DateTime('UTC'),
    ad_id LowCardinality(String),
    source_type LowCardinality(String),
    version UInt64,
    messages UInt64,
    delivered UInt64,
    billable UInt64,
    free_entry UInt64,
    free_service UInt64,
    covered UInt64,
    unknown UInt64,
    mismatches UInt64,
    reported_messages UInt64,
    allowance_differences UInt64,
    odd_reports UInt64,
    saved_from_charge UInt64,
    free_messages UInt64,
    entries UInt64,
    first_entry_at SimpleAggregateFunction(min, Nullable(DateTime('UTC'))),
    last_entry_at SimpleAggregateFunction(max, Nullable(DateTime('UTC'))),
    ad_conversations UInt64,
    -- One element per replied conversation, for exact quantiles over any range.
    seconds_to_reply Array(Int64),
    -- One element per conversation without reply: whether it is pending or mature depends on the clock that asks.
    unreplied_last_entry_at Array(DateTime('UTC')),
    windows_opened UInt64,
    windows_confirmed UInt64
)
ENGINE = ReplacingMergeTree(version)
ORDER BY (cell_at, phone_number_id, ad_id, source_type);

-- Who may recompute. The token is the version of what is written, so that a later holder always wins.
CREATE TABLE IF NOT EXISTS leases
(
    name String,
    token UInt64,
    holder String,
    taken_at DateTime64(3, 'UTC')
)
ENGINE = ReplacingMergeTree(token)
ORDER BY name;
