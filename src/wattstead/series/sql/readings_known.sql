-- Readings as they were known at an instant: of each (point, time) the newest version received by then, be it standing
-- or replaced since.
SELECT point, time, argMax(value_, version_) AS value, argMax(quality_, version_) AS quality, max(version_) AS version
FROM
(
    SELECT point, time, value AS value_, quality AS quality_, version AS version_
    FROM reading FINAL
    PREWHERE {where}
    WHERE version <= {known}
    UNION ALL
    SELECT point, time, value AS value_, quality AS quality_, version AS version_
    FROM reading_replaced FINAL
    PREWHERE {where}
    WHERE version <= {known}
)
GROUP BY point, time
ORDER BY point, time
LIMIT {limit}
