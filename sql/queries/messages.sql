-- One row per outbound message of a range, of a group message per participant, with its price (contract.md 3). An amount is that
-- of one message, so nothing is rounded.
SELECT
    message_id, phone_number_id, customer, %sent_at% AS sent_at_text, %delivered_at% AS delivered_at_text,
    type, template_name, category, policy, predicted, reported, billing,
    if(billing = 'BILLABLE', 'true', 'false') AS billable, conversation_id, ad_id,
    waba_id, market, rated_category, currency, card,
    ifNull(toString(rate), '') AS list_cost,
    %billed% AS billed_cost,
    %saved% AS savings,
    unrated, period, error_code, error_title, tag%also%
FROM (%rated%) AS message_marks
%order%
