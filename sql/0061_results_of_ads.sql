-- What Meta counts of an ad on the days of an amount. NULL = the import has no such column, which is not 0.
ALTER TABLE ad_spend
    ADD COLUMN IF NOT EXISTS link_clicks Nullable(UInt64),
    ADD COLUMN IF NOT EXISTS conversations_started Nullable(UInt64),
    ADD COLUMN IF NOT EXISTS depth_2 Nullable(UInt64),
    ADD COLUMN IF NOT EXISTS depth_3 Nullable(UInt64),
    ADD COLUMN IF NOT EXISTS depth_5 Nullable(UInt64);
