SELECT point, bucket, count, min, max, sum, first_time, first_value, last_time, last_value, step, flags
FROM
(
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
SELECT
    *,
    arrayMap(value -> toInt64(least(greatest(round(value / quantum), -9007199254740992.), 9007199254740992.)), v0) AS counts0,
    arrayMap(value -> toInt64(least(greatest(round(value / quantum), -9007199254740992.), 9007199254740992.)), v1) AS counts1,
    multiIf(
        mode = 1, arrayMap((t0, a, t1, b) -> toUInt16(bitOr(
    if(t1 - t0 > max_gap_us, 32, 0),
    multiIf(
        greatest(abs(a), abs(b)) >= 9007199254740992 OR max_rate != 0 AND toFloat64(b - a) > abs(max_rate) * (if(max_rate < 0, greatest(t1 - t0, 300000000), t1 - t0) / 1e6), 8,
        b >= a, 0,
        width > 0 AND b - a + width >= 0 AND if(max_rate > 0, toFloat64(b - a + width) <= max_rate * ((t1 - t0) / 1e6), b - a + width <= intDiv(width, 10)), 1,
        a - b <= tolerance, 16,
        b * 100 <= a, 2,
        4))), t0, counts0, t1, counts1),
        mode = 2, arrayMap((t0, v0, t1, v1) -> toUInt16(if(greatest(abs(v0), abs(v1)) > 1e11, 8, 0) + if(t1 - t0 > max_gap_us, 32, 0)), t0, v0, t1, v1),
        mode = 4, arrayMap((t0, t1, v1) -> toUInt16(if(abs(v1) > 1e11, 8, 0) + if(t1 - t0 > max_gap_us, 32, 0)), t0, t1, v1),
        emptyArrayUInt16()) AS pair_flags,
    multiIf(
        mode = 1, arraySum(arrayMap((flag, a, b) -> multiIf(bitAnd(flag, 31) IN (0, 16), b - a, bitAnd(flag, 1) = 1, b - a + width, 0), pair_flags, counts0, counts1)),
        mode = 2, arraySum(arrayMap((t0, v0, t1, v1) -> if(t1 - t0 > max_gap_us OR greatest(abs(v0), abs(v1)) > 1e11, 0, toInt64(least(greatest(round((v0 + v1) * ((t1 - t0) / 2000.)), -1152921504606846976.), 1152921504606846976.))), t0, v0, t1, v1)),
        mode = 4, arraySum(arrayMap((t0, t1, v1) -> if(t1 - t0 > max_gap_us OR abs(v1) > 1e11, 0, toInt64(least(greatest(round(v1 * ((t1 - t0) / 1000.)), -1152921504606846976.), 1152921504606846976.))), t0, t1, v1)),
        toInt64(0)) AS pair_step
FROM
(
    SELECT *, arrayPopBack(last_times) AS t0, arrayPopBack(last_values) AS v0, arrayPopFront(first_times) AS t1, arrayPopFront(first_values) AS v1
    FROM
    (
        SELECT
            point,
            1774566000000000 + intDiv(toInt64(toUnixTimestamp(start)) * 1000000 - 1774566000000000, 86400000000) * 86400000000 AS bucket,
            sum(count) AS count_,
            min(min) AS min_,
            max(max) AS max_,
            sum(sum) AS sum_,
            any(first_time) AS first_time_,
            any(first_value) AS first_value_,
            anyLast(last_time) AS last_time_,
            anyLast(last_value) AS last_value_,
            sum(step) AS step_,
            groupBitOr(flags) AS flags_,
            groupArray(toUnixTimestamp64Micro(first_time)) AS first_times,
            groupArray(first_value) AS first_values,
            groupArray(toUnixTimestamp64Micro(last_time)) AS last_times,
            groupArray(last_value) AS last_values
        FROM
        (
            SELECT *
            FROM quarter FINAL
            PREWHERE point IN (7, 8) AND start >= 1774566000 AND start <= 1774821599
            WHERE count > 0
            ORDER BY toMonday(start), point, start
        )
        GROUP BY point, bucket
    )
) AS rows
ANY LEFT JOIN
(
    SELECT point, mode, quantum, width, max_rate, tolerance, max_gap_us, rule_version
    FROM rule FINAL
    WHERE point IN (7, 8)
) AS rules USING (point)
))
