SELECT point, bucket, toUInt64(count_) AS count, min_ AS min, max_ AS max, sum_ AS sum
FROM
(
SELECT
    point,
    1774569600000000 + intDiv(toInt64(toUnixTimestamp(start)) * 1000000 - 1774569600000000, 3600000000) * 3600000000 AS bucket,
    sum(count) AS count_,
    min(min) AS min_,
    max(max) AS max_,
    sum(sum) AS sum_
FROM minute FINAL
PREWHERE point IN (7, 8, 9) AND toStartOfHour(start) >= toStartOfHour(toDateTime(1774569600, 'UTC')) AND toStartOfHour(start) <= toStartOfHour(toDateTime(1774652399, 'UTC')) AND start >= toDateTime(1774569600, 'UTC') AND start <= toDateTime(1774652399, 'UTC')
WHERE count > 0
GROUP BY point, bucket)
UNION ALL
SELECT point, bucket, toUInt64(count_) AS count, min_ AS min, max_ AS max, sum_ AS sum
FROM
(
SELECT
    point,
    1774652400000000 + intDiv(time_us - 1774652400000000, 3600000000) * 3600000000 AS bucket,
    toUInt64(count()) AS count_,
    min(value) AS min_,
    max(value) AS max_,
    sum(value) AS sum_
FROM
(
    SELECT point, time, toUnixTimestamp64Micro(time) AS time_us, value
    FROM reading FINAL
    PREWHERE point IN (7, 8, 9) AND time >= fromUnixTimestamp64Micro(1774652400000000, 'UTC') AND time < fromUnixTimestamp64Micro(1774656000000000, 'UTC')
)
GROUP BY point, bucket)
