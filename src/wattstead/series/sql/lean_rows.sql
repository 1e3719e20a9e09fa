-- Only what means need: no first and last, no steps.
SELECT
    point,
    {bucket} AS bucket,
    sum(count) AS counts,
    min(min) AS lowest,
    max(max) AS highest,
    sum(sum) AS sums
FROM {table} FINAL
PREWHERE {where}
WHERE count > 0
GROUP BY point, bucket
