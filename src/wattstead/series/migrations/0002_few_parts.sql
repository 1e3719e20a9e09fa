-- Quarter hours and days are merged soon: each part that a question touches costs the store a third of a millisecond.
ALTER TABLE quarter MODIFY SETTING min_parts_to_merge_at_once = 2, merge_selector_base = 2;
ALTER TABLE day MODIFY SETTING min_parts_to_merge_at_once = 2, merge_selector_base = 2;
