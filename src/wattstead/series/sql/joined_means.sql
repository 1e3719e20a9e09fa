-- Means of several tiers, which may each have a part of one bucket.
SELECT point, bucket, sum(part_counts) AS counts, min(part_lowest) AS lowest, max(part_highest) AS highest, sum(part_sums) AS sums
FROM
(
{means}
)
GROUP BY point, bucket
