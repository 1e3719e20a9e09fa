SELECT
    point, toInt64(toUnixTimestamp(start)) * 1000000 AS bucket, count, min, max, sum, first_time, first_value, last_time, last_value, step, flags
FROM day FINAL
PREWHERE point = 7 AND start >= 1774566000 AND start <= 1774821599
WHERE count > 0
