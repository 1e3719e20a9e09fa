    SELECT *, arrayPopBack(t) AS t0, arrayPopBack(v) AS v0, arrayPopFront(t) AS t1, arrayPopFront(v) AS v1
    FROM
    (
        SELECT point, {bucket} AS bucket, groupArray(time_us) AS t, groupArray(value) AS v
        FROM
        (
            SELECT point, time, toUnixTimestamp64Micro(time) AS time_us, value
            FROM reading FINAL
            PREWHERE {where}
            ORDER BY point, time
        )
        GROUP BY point, bucket
    )
