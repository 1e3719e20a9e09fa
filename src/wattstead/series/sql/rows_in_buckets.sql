    SELECT *, arrayPopBack(last_times) AS t0, arrayPopBack(last_values) AS v0, arrayPopFront(first_times) AS t1, arrayPopFront(first_values) AS v1
    FROM
    (
        SELECT
            point,
            {bucket} AS bucket,
            sum(count) AS count_,
{numbers}
            any(first_time) AS first_time_,
            any(first_value) AS first_value_,
            anyLast(last_time) AS last_time_,
            anyLast(last_value) AS last_value_,
            sum(step) AS step_,
            groupBitOr(flags) AS flags_,
            groupArray(toUnixTimestamp64Micro(first_time)) AS first_times,
            groupArray(first_value) AS first_values,
            groupArray(toUnixTimestamp64Micro(last_time)) AS last_times,
            groupArray(last_value) AS last_values
        FROM
        (
            SELECT *
            FROM {table} FINAL
            PREWHERE {where}
            WHERE count > 0
            ORDER BY {order}
        )
        GROUP BY point, bucket
    )
