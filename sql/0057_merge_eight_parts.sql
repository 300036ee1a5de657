-- Live traffic adds a small part to each of these tables with every batch. ClickHouse leaves the smallest parts out of a
-- merge by itself, down to two parts, whatever minimum is set: then nearly every batch had its table's part of the last hour
-- written anew. Eight parts at once take half the time. Readers find some more small parts.
ALTER TABLE events MODIFY SETTING min_parts_to_merge_at_once = 8,
    merge_selector_enable_heuristic_to_remove_small_parts_at_right = 0;

ALTER TABLE message_names MODIFY SETTING min_parts_to_merge_at_once = 8,
    merge_selector_enable_heuristic_to_remove_small_parts_at_right = 0;

ALTER TABLE message_marks MODIFY SETTING min_parts_to_merge_at_once = 8,
    merge_selector_enable_heuristic_to_remove_small_parts_at_right = 0;

ALTER TABLE messages_by_time MODIFY SETTING min_parts_to_merge_at_once = 8,
    merge_selector_enable_heuristic_to_remove_small_parts_at_right = 0;

ALTER TABLE entry_marks MODIFY SETTING min_parts_to_merge_at_once = 8,
    merge_selector_enable_heuristic_to_remove_small_parts_at_right = 0;

ALTER TABLE ad_referrals MODIFY SETTING min_parts_to_merge_at_once = 8,
    merge_selector_enable_heuristic_to_remove_small_parts_at_right = 0;

ALTER TABLE folded_threads MODIFY SETTING min_parts_to_merge_at_once = 8,
    merge_selector_enable_heuristic_to_remove_small_parts_at_right = 0;

ALTER TABLE emitted_threads MODIFY SETTING min_parts_to_merge_at_once = 8,
    merge_selector_enable_heuristic_to_remove_small_parts_at_right = 0;

ALTER TABLE thread_links MODIFY SETTING min_parts_to_merge_at_once = 8,
    merge_selector_enable_heuristic_to_remove_small_parts_at_right = 0;

ALTER TABLE lost_referrals MODIFY SETTING min_parts_to_merge_at_once = 8,
    merge_selector_enable_heuristic_to_remove_small_parts_at_right = 0;

ALTER TABLE customer_names MODIFY SETTING min_parts_to_merge_at_once = 8,
    merge_selector_enable_heuristic_to_remove_small_parts_at_right = 0;

ALTER TABLE dirty_cells MODIFY SETTING min_parts_to_merge_at_once = 8,
    merge_selector_enable_heuristic_to_remove_small_parts_at_right = 0;

ALTER TABLE dirty_charges MODIFY SETTING min_parts_to_merge_at_once = 8,
    merge_selector_enable_heuristic_to_remove_small_parts_at_right = 0;

ALTER TABLE summary_cells MODIFY SETTING min_parts_to_merge_at_once = 8,
    merge_selector_enable_heuristic_to_remove_small_parts_at_right = 0;

ALTER TABLE landing_log MODIFY SETTING min_parts_to_merge_at_once = 8,
    merge_selector_enable_heuristic_to_remove_small_parts_at_right = 0;
