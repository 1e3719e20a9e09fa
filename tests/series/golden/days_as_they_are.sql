SELECT
    point, toInt64(toUnixTimestamp(start)) * 1000000 AS bucket, count, min, max, sum, first_time, first_value, last_time, last_value, step, flags
FROM day FINAL
PREWHERE point IN (7) AND toStartOfMonth(start) >= toStartOfMonth(toDateTime(1774566000, 'UTC')) AND toStartOfMonth(start) <= toStartOfMonth(toDateTime(1774821599, 'UTC')) AND start >= toDateTime(1774566000, 'UTC') AND start <= toDateTime(1774821599, 'UTC')
WHERE count > 0
