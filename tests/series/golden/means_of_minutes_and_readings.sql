SELECT
    transform(point, [7, 8, 9]::Array(UInt32), [0, 1, 0]::Array(UInt32), toUInt32(0)) AS cell,
    bucket,
    count() AS points,
    sum(counts) AS count,
    min(lowest) AS min,
    max(highest) AS max,
    sum(sums) AS sum,
    sum(sums / counts) AS total
FROM
(
SELECT point, bucket, sum(part_counts) AS counts, min(part_lowest) AS lowest, max(part_highest) AS highest, sum(part_sums) AS sums
FROM
(
SELECT point, bucket, counts AS part_counts, lowest AS part_lowest, highest AS part_highest, sums AS part_sums
FROM
(
SELECT
    point,
    1774569600000000 + intDiv(toInt64(toUnixTimestamp(start)) * 1000000 - 1774569600000000, 3600000000) * 3600000000 AS bucket,
    sum(count) AS counts,
    min(min) AS lowest,
    max(max) AS highest,
    sum(sum) AS sums
FROM minute FINAL
PREWHERE point IN (7, 8, 9) AND toStartOfHour(start) >= 1774569600 AND toStartOfHour(start) <= 1774648800 AND start >= 1774569600 AND start <= 1774652399
WHERE count > 0
GROUP BY point, bucket
)
UNION ALL
SELECT point, bucket, counts AS part_counts, lowest AS part_lowest, highest AS part_highest, sums AS part_sums
FROM
(
SELECT
    point,
    1774652400000000 + intDiv(time_us - 1774652400000000, 3600000000) * 3600000000 AS bucket,
    toUInt64(count()) AS counts,
    min(value) AS lowest,
    max(value) AS highest,
    sum(value) AS sums
FROM
(
    SELECT point, time, toUnixTimestamp64Micro(time) AS time_us, value
    FROM reading FINAL
    PREWHERE point IN (7, 8, 9) AND time >= '2026-03-27 23:00:00.000000' AND time < '2026-03-28 00:00:00.000000'
)
GROUP BY point, bucket
)
)
GROUP BY point, bucket
)
GROUP BY cell, bucket
