-- Readings as rollup rows of one reading each.
SELECT
    point, toUnixTimestamp64Micro(time) AS bucket, toUInt32(1) AS count, value AS min, value AS max, value AS sum,
    time AS first_time, value AS first_value, time AS last_time, value AS last_value, toInt64(0) AS step,
    toUInt16(0) AS flags
FROM reading FINAL
PREWHERE {where}
