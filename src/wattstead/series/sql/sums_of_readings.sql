-- The same of readings.
SELECT
    {cell} AS cell,
    {bucket} AS bucket,
    toUInt64(count()) AS counts,
    sum(value) AS sums{extremes}
FROM
(
    SELECT point, toUnixTimestamp64Micro(time) AS time_us, value
    FROM reading FINAL
    PREWHERE {where}
)
GROUP BY cell, bucket
