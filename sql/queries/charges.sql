-- Delivered messages by everything that decides their price (contract.md 3), in no order.
-- Sums over whole numbers times an exact rate: nothing is rounded before or after.
SELECT
    day_text AS day, waba_id, phone_number_id, market, category, billing, tier, volume_text AS volume, rate_text AS rate,
    list_cost, billed_cost, savings, currency, card AS rate_card, unrated_text AS unrated
FROM
(
    SELECT
        toString(charge_day) AS day_text, waba_id, phone_number_id, market, category, billing, tier,
        toString(sum(volume)) AS volume_text,
        if(billing = 'BILLABLE', ifNull(toString(rate), ''), '') AS rate_text,
        ifNull(toString(sum(toDecimal128(rate, 8) * volume)), '') AS list_cost,
        if(billing = 'BILLABLE' OR list_cost = '', list_cost, '0') AS billed_cost,
        if(billing = 'BILLABLE' AND list_cost != '', '0', list_cost) AS savings,
        currency, card,
        toString(sumIf(volume, unrated != '')) AS unrated_text
    FROM (%priced%)
    WHERE volume > 0
    GROUP BY charge_day, waba_id, phone_number_id, market, category, billing, tier, rate_text, currency, card
)
