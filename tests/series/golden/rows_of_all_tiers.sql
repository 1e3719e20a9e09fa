SELECT
    point, toInt64(toUnixTimestamp(start)) * 1000000 AS bucket, count, min, max, sum, first_time, first_value, last_time, last_value, step, flags
FROM day FINAL
PREWHERE point IN (7, 11) AND toStartOfMonth(start) >= toStartOfMonth(toDateTime(1774566000, 'UTC')) AND toStartOfMonth(start) <= toStartOfMonth(toDateTime(1774738799, 'UTC')) AND start >= toDateTime(1774566000, 'UTC') AND start <= toDateTime(1774738799, 'UTC')
WHERE count > 0
UNION ALL
SELECT
    point, toInt64(toUnixTimestamp(start)) * 1000000 AS bucket, count, min, max, sum, first_time, first_value, last_time, last_value, step, flags
FROM quarter FINAL
PREWHERE point IN (7, 11) AND toMonday(start) >= toMonday(toDateTime(1774738800, 'UTC')) AND toMonday(start) <= toMonday(toDateTime(1774739699, 'UTC')) AND start >= toDateTime(1774738800, 'UTC') AND start <= toDateTime(1774739699, 'UTC')
WHERE count > 0
UNION ALL
SELECT
    point, toInt64(toUnixTimestamp(start)) * 1000000 AS bucket, count, min, max, sum, first_time, first_value, last_time, last_value, step, flags
FROM minute FINAL
PREWHERE point IN (7, 11) AND toStartOfHour(start) >= toStartOfHour(toDateTime(1774739700, 'UTC')) AND toStartOfHour(start) <= toStartOfHour(toDateTime(1774739759, 'UTC')) AND start >= toDateTime(1774739700, 'UTC') AND start <= toDateTime(1774739759, 'UTC')
WHERE count > 0
UNION ALL
SELECT
    point, toUnixTimestamp64Micro(time) AS bucket, toUInt32(1) AS count, value AS min, value AS max, value AS sum,
    time AS first_time, value AS first_value, time AS last_time, value AS last_value, toInt64(0) AS step,
    toUInt16(0) AS flags
FROM reading FINAL
PREWHERE point IN (7, 11) AND time >= fromUnixTimestamp64Micro(1774739760000000, 'UTC') AND time < fromUnixTimestamp64Micro(1774821600000000, 'UTC')
