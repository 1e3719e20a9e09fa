-- Sums of many points put together while they are read, cell by cell: all that a mean over all of them needs.
SELECT
    {cell} AS cell,
    {bucket} AS bucket,
    sum(count) AS counts,
    sum(sum) AS sums{extremes}
FROM {table} FINAL
PREWHERE {where}
WHERE count > 0
GROUP BY cell, bucket
