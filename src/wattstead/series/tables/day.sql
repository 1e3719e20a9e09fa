-- One row per point and local day of its site that has readings, merged from quarter. Sorted by month first.
-- Retention: by whole months, for each class of points.
CREATE TABLE IF NOT EXISTS day
(
    point        UInt32                CODEC(Delta, ZSTD(1)) COMMENT 'id of the point',
    start        DateTime('UTC')       CODEC(Delta, ZSTD(1)) COMMENT 'first instant of the local day, as UTC',
    count        UInt32                CODEC(ZSTD(1))        COMMENT 'readings; 0: the bucket became empty',
    min          Float64               CODEC(ZSTD(1))        COMMENT 'in the unit of the point',
    max          Float64               CODEC(ZSTD(1))        COMMENT 'in the unit of the point',
    sum          Float64               CODEC(ZSTD(1))        COMMENT 'of the values, added in order of time',
    first_time   DateTime64(6, 'UTC')  CODEC(Delta, ZSTD(1)) COMMENT 'of the first reading inside',
    first_value  Float64               CODEC(ZSTD(1))        COMMENT 'of the first reading inside',
    last_time    DateTime64(6, 'UTC')  CODEC(Delta, ZSTD(1)) COMMENT 'of the last reading inside',
    last_value   Float64               CODEC(ZSTD(1))        COMMENT 'of the last reading inside',
    step         Int64                 CODEC(ZSTD(1))        COMMENT 'steps accepted inside, under the rule of the point',
    flags        UInt16                CODEC(ZSTD(1))        COMMENT 'metering.StepFlag of all steps inside',
    version      UInt64                CODEC(Delta, ZSTD(1)) COMMENT 'which computation; the latest stands',
    rule_version UInt32                CODEC(Delta, ZSTD(1)) COMMENT 'version of the rule it was computed under'
)
ENGINE = ReplacingMergeTree(version)
PARTITION BY toYear(start)
ORDER BY (toStartOfMonth(start), point, start)
SETTINGS {durable}, index_granularity = 1024, min_parts_to_merge_at_once = 2, merge_selector_base = 2
