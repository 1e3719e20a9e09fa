-- Keeps rollup rows; those whose finer rows have expired stay as they were.
INSERT INTO {table} (point, start, count, min, max, sum, first_time, first_value, last_time, last_value, step, flags, version, rule_version)
SELECT
    point, bucket, count, min, max, sum, first_time, first_value, last_time, last_value, step, flags,
    toUInt64({version}) AS version, rule_version
FROM
(
{rows}
)
WHERE {left}
