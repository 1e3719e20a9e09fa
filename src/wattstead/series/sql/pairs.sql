-- Beside each row: flags and steps of its pairs of neighbouring readings, (t0, v0) before (t1, v1), under its rule.
-- `step.py` in metering is the same in numpy.
SELECT
    *,
    arrayMap(value -> {register_count}, v0) AS counts0,
    arrayMap(value -> {register_count}, v1) AS counts1,
    multiIf(
        mode = 1, arrayMap((t0, a, t1, b) -> {register_flag}, t0, counts0, t1, counts1),
        mode = 2, arrayMap((t0, t1) -> {power_flag}, t0, t1),
        []) AS pair_flags,
    multiIf(
        mode = 1, arraySum(arrayMap((flag, a, b) -> {register_step}, pair_flags, counts0, counts1)),
        mode = 2, arraySum(arrayMap((t0, v0, t1, v1) -> {power_step}, t0, v0, t1, v1)),
        0) AS pair_step
FROM
(
{rows}
) AS rows
ANY LEFT JOIN
(
    SELECT point, mode, quantum, width, max_rate, tolerance, max_gap_us, rule_version
    FROM rule FINAL
    WHERE {rule_where}
) AS rules USING (point)
