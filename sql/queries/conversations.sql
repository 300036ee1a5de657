-- One row per entry (contract.md 3).
SELECT
    entry_id AS conversation_id, phone_number_id, customer, %entry_at% AS entry_at_text, source_type, ad_id, source_url,
    ctwa_clid, reply_message_id, %replied_at% AS replied_at_text,
    if(replied_at IS NULL, '', toString(dateDiff('second', entry_marks.entry_at, assumeNotNull(entry_marks.replied_at)))) AS seconds_to_reply,
    %opened_at% AS opened_at_text, %expires_at% AS expires_at_text, toString(free_messages) AS free_messages, ad_conversation_id%also%
FROM entry_marks FINAL
WHERE entry_marks.entry_at >= %from% AND entry_marks.entry_at < %to% AND %ad% AND %place%
%order%
