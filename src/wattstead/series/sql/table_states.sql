SELECT name, rows, bytes, parts, most_parts
FROM
(
    SELECT name
    FROM system.tables
    WHERE database = currentDatabase()
) AS there
LEFT JOIN
(
    SELECT table AS name, sum(rows_) AS rows, sum(bytes_) AS bytes, sum(parts_) AS parts, max(parts_) AS most_parts
    FROM
    (
        SELECT table, partition_id, sum(rows) AS rows_, sum(bytes_on_disk) AS bytes_, count() AS parts_
        FROM system.parts
        WHERE active AND database = currentDatabase()
        GROUP BY table, partition_id
    )
    GROUP BY table
) AS sizes USING (name)
ORDER BY name
