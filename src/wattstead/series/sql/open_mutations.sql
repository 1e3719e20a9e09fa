SELECT count() AS open, anyIf(latest_fail_reason, latest_fail_reason != '') AS reason
FROM system.mutations
WHERE database = currentDatabase() AND NOT is_done
