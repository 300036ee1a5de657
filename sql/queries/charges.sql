-- Delivered messages by everything that decides their price (contract.md 3), in no order.
-- Sums over whole numbers times an exact rate: nothing is rounded before or after.
SELECT
    key.1 AS day, key.2 AS waba_id, key.3 AS phone_number_id, key.4 AS market, key.5 AS category, key.6 AS billing,
    key.7 AS tier, toString(messages) AS volume, key.8 AS rate,
    list_cost,
    %billed% AS billed_cost,
    %saved% AS savings,
    key.9 AS currency, key.10 AS rate_card, toString(without_rate) AS unrated
FROM
(
    -- One key and not ten: what groups is compared with all else when a query is planned, column by column.
    SELECT key, sum(volume) AS messages, ifNull(toString(sum(toDecimal128(rate, 8) * volume)), '') AS list_cost,
        sumIf(volume, unrated != '') AS without_rate
    FROM
    (
        SELECT
            (toString(charge_day), waba_id, phone_number_id, market, category, billing, tier,
                if(billing = 'BILLABLE', ifNull(toString(rate), ''), ''), currency, card) AS key,
            volume, rate, unrated
        FROM (%priced%)
        WHERE volume > 0
    )
    GROUP BY key
)
