-- Only what means need, of readings.
SELECT
    point,
    {bucket} AS bucket,
    toUInt64(count()) AS count_,
    min(value) AS min_,
    max(value) AS max_,
    sum(value) AS sum_
FROM
(
    SELECT point, time, toUnixTimestamp64Micro(time) AS time_us, value
    FROM reading FINAL
    PREWHERE {where}
)
GROUP BY point, bucket
