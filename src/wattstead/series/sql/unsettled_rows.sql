-- Rollup rows as they are, every version of them, which is sooner said than settled in the store.
SELECT point, start, count, min, max, sum, first_time, first_value, last_time, last_value, step, flags, version
FROM {table}
PREWHERE {where}
