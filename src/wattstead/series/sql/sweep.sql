-- Empties the rows of buckets in which there is nothing left.
INSERT INTO {table} (point, start, count, min, max, sum, first_time, first_value, last_time, last_value, step, flags, version, rule_version)
SELECT
    point, start, 0 AS count, 0 AS min, 0 AS max, 0 AS sum, start AS first_time, 0 AS first_value, start AS last_time,
    0 AS last_value, 0 AS step, 0 AS flags, toUInt64({version}) AS version, rule_version
FROM {table} FINAL
PREWHERE {where}
WHERE count > 0 AND version < {version} AND ({left})
