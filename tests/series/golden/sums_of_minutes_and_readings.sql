SELECT
    transform(point, [7, 8, 20]::Array(UInt32), [0, 1, 0]::Array(UInt32), toUInt32(4294967295)) AS cell,
    1774569600000000 + intDiv(toInt64(toUnixTimestamp(start)) * 1000000 - 1774569600000000, 3600000000) * 3600000000 AS bucket,
    sum(count) AS counts,
    sum(sum) AS sums
FROM minute FINAL
PREWHERE point IN (7, 8, 20) AND toStartOfHour(start) >= 1774569600 AND toStartOfHour(start) <= 1774648800 AND start >= 1774569600 AND start <= 1774652399
WHERE count > 0
GROUP BY cell, bucket
UNION ALL
SELECT
    transform(point, [7, 8, 20]::Array(UInt32), [0, 1, 0]::Array(UInt32), toUInt32(4294967295)) AS cell,
    1774652400000000 + intDiv(time_us - 1774652400000000, 3600000000) * 3600000000 AS bucket,
    toUInt64(count()) AS counts,
    sum(value) AS sums
FROM
(
    SELECT point, toUnixTimestamp64Micro(time) AS time_us, value
    FROM reading FINAL
    PREWHERE point IN (7, 8, 20) AND time >= '2026-03-27 23:00:00.000000' AND time < '2026-03-28 00:00:00.000000'
)
GROUP BY cell, bucket
