-- Coarser rollup rows made of finer ones, one per point and bucket; their steps count the crossings between.
SELECT
    point,
    bucket,
    toUInt32(count_) AS count,
    min_ AS min,
    max_ AS max,
    sum_ AS sum,
    first_time_ AS first_time,
    first_value_ AS first_value,
    last_time_ AS last_time,
    last_value_ AS last_value,
    step_ + pair_step AS step,
    bitOr(flags_, arrayReduce('groupBitOr', pair_flags)) AS flags,
    rule_version
FROM
(
{pairs}
)
