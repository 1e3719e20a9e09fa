-- The same of readings.
SELECT
    {cell} AS cell,
    {bucket} AS bucket,
    toUInt64(count()) AS counts,
    min(value) AS lowest,
    max(value) AS highest,
    sum(value) AS sums
FROM
(
    SELECT point, toUnixTimestamp64Micro(time) AS time_us, value
    FROM reading FINAL
    PREWHERE {where}
)
GROUP BY cell, bucket
