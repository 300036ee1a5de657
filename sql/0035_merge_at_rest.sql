-- Readers of final rows merge equal keys of all parts of a month, or of a table without months. After five minutes
-- without an insert its parts become one, and readers need not merge any more: a page of conversations took half the time
-- on ten million events. Under live traffic nothing changes, except for the months that it no longer touches.
ALTER TABLE events MODIFY SETTING min_age_to_force_merge_seconds = 300, min_age_to_force_merge_on_partition_only = 1;

ALTER TABLE message_names MODIFY SETTING min_age_to_force_merge_seconds = 300, min_age_to_force_merge_on_partition_only = 1;

ALTER TABLE message_marks MODIFY SETTING min_age_to_force_merge_seconds = 300, min_age_to_force_merge_on_partition_only = 1;

ALTER TABLE messages_by_time MODIFY SETTING min_age_to_force_merge_seconds = 300, min_age_to_force_merge_on_partition_only = 1;

ALTER TABLE entry_marks MODIFY SETTING min_age_to_force_merge_seconds = 300, min_age_to_force_merge_on_partition_only = 1;

ALTER TABLE folded_threads MODIFY SETTING min_age_to_force_merge_seconds = 300, min_age_to_force_merge_on_partition_only = 1;

ALTER TABLE emitted_threads MODIFY SETTING min_age_to_force_merge_seconds = 300, min_age_to_force_merge_on_partition_only = 1;

ALTER TABLE charge_days MODIFY SETTING min_age_to_force_merge_seconds = 300, min_age_to_force_merge_on_partition_only = 1;

ALTER TABLE charge_hours MODIFY SETTING min_age_to_force_merge_seconds = 300, min_age_to_force_merge_on_partition_only = 1;
