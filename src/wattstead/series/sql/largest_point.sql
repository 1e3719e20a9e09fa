-- The largest point that has a reading or a rollup; read from the end of each table's order, not by a scan.
SELECT max(point) FROM (
    SELECT max(point) AS point FROM (SELECT point FROM reading ORDER BY point DESC LIMIT 1)
    UNION ALL
    SELECT max(point) AS point FROM (SELECT point FROM day ORDER BY point DESC LIMIT 1)
)
