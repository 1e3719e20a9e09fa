-- Beside each row: flags and steps of its pairs of neighbouring readings, (t0, v0) before (t1, v1), under its rule.
-- `step.py` in metering is the same in numpy.
SELECT
    *,
{constants}{counts}
    {flags} AS pair_flags,
    {steps} AS pair_step
FROM
(
{rows}
) AS rows
{rules}
