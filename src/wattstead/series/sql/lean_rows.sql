-- Only what means need: no first and last, no steps.
SELECT
    point,
    {bucket} AS bucket,
    sum(count) AS count_,
    min(min) AS min_,
    max(max) AS max_,
    sum(sum) AS sum_
FROM {table} FINAL
PREWHERE {where}
WHERE count > 0
GROUP BY point, bucket
