-- Empties the rows of buckets in which there is nothing left: those that this computation has not made again.
INSERT INTO {table} (point, start, count, min, max, sum, first_time, first_value, last_time, last_value, step, flags, version, rule_version)
SELECT point, start, 0, 0, 0, 0, start, 0, start, 0, 0, 0, {version}, rule_version
FROM
(
    SELECT point, start, rule_version
    FROM {table} FINAL
    PREWHERE {where}
    WHERE count > 0 AND version < {version} AND {left}
)
