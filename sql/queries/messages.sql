-- One row per outbound message (contract.md 3). {by:String} picks the time that the range is of.
SELECT
    message_id, phone_number_id, customer, %sent_at% AS sent_at_text, %delivered_at% AS delivered_at_text,
    type, template_name, category, policy, predicted, reported, billing,
    if(billing = 'BILLABLE', 'true', 'false') AS billable, conversation_id, ad_id
FROM message_marks FINAL
WHERE if({by:String} = 'delivered', message_marks.delivered_at >= %from% AND message_marks.delivered_at < %to%,
    message_marks.sent_at >= %from% AND message_marks.sent_at < %to%)
ORDER BY message_marks.sent_at, message_id, phone_number_id
