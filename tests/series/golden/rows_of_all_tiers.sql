SELECT
    point, toInt64(toUnixTimestamp(start)) * 1000000 AS bucket, count, min, max, sum, first_time, first_value, last_time, last_value, step, flags, version
FROM day
PREWHERE point IN (7, 11) AND start >= 1774566000 AND start <= 1774738799
UNION ALL
SELECT
    point, toInt64(toUnixTimestamp(start)) * 1000000 AS bucket, count, min, max, sum, first_time, first_value, last_time, last_value, step, flags, version
FROM quarter
PREWHERE point IN (7, 11) AND start >= 1774738800 AND start <= 1774739699
UNION ALL
SELECT
    point, toInt64(toUnixTimestamp(start)) * 1000000 AS bucket, count, min, max, sum, first_time, first_value, last_time, last_value, step, flags, version
FROM minute
PREWHERE point IN (7, 11) AND toStartOfHour(start) >= 1774738800 AND toStartOfHour(start) <= 1774738800 AND start >= 1774739700 AND start <= 1774739759
UNION ALL
SELECT
    point, toUnixTimestamp64Micro(time) AS bucket, toUInt32(1) AS count, value AS min, value AS max, value AS sum,
    time AS first_time, value AS first_value, time AS last_time, value AS last_value, toInt64(0) AS step,
    toUInt16(0) AS flags, toUInt64(0) AS version
FROM reading FINAL
PREWHERE point IN (7, 11) AND time >= '2026-03-28 23:16:00.000000' AND time < '2026-03-29 22:00:00.000000'
