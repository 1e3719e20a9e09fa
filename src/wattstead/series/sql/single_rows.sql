-- Rollup rows as they are.
SELECT
    point, {bucket} AS bucket, count, min, max, sum, first_time, first_value, last_time, last_value, step, flags
FROM {table} FINAL
PREWHERE {where}
WHERE count > 0
