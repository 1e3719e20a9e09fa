-- Rollup rows made of readings, one per point and bucket.
SELECT
    point,
    bucket,
    toUInt32(length(v)) AS count,
    arrayMin(v) AS min,
    arrayMax(v) AS max,
    arraySum(v) AS sum,
    fromUnixTimestamp64Micro(t[1], 'UTC') AS first_time,
    v[1] AS first_value,
    fromUnixTimestamp64Micro(t[-1], 'UTC') AS last_time,
    v[-1] AS last_value,
    {step} AS step,
    arrayReduce('groupBitOr', pair_flags) AS flags,
    rule_version
FROM
(
{pairs}
)
