-- Means of many points put together, cell by cell: one row per cell and bucket.
SELECT
    transform(point, [{points}]::Array(UInt32), [{cells}]::Array(UInt32), toUInt32(0)) AS cell,
    bucket,
    count() AS points,
    sum(counts) AS count,
    min(lowest) AS min,
    max(highest) AS max,
    sum(sums) AS sum,
    sum(sums / counts) AS total
FROM
(
{means}
)
GROUP BY cell, bucket
