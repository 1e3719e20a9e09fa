-- Only what means need, of readings.
SELECT
    point,
    {bucket} AS bucket,
    toUInt64(count()) AS counts,
    min(value) AS lowest,
    max(value) AS highest,
    sum(value) AS sums
FROM
(
    SELECT point, time, toUnixTimestamp64Micro(time) AS time_us, value
    FROM reading FINAL
    PREWHERE {where}
)
GROUP BY point, bucket
