-- Every reading as it came, in the point's own unit; of one (point, time) the greatest version stands.
-- Retention: by whole weeks, for each class of points (see retention.py).
CREATE TABLE IF NOT EXISTS reading
(
    point   UInt32                CODEC(Delta, ZSTD(1)) COMMENT 'id of the point in the registry: 17',
    time    DateTime64(6, 'UTC')  CODEC(Delta, ZSTD(1)) COMMENT 'the instant it is of: 2026-01-31 11:59:58.000000',
    value   Float64               CODEC(ZSTD(1))        COMMENT 'in the unit of the point: 231.5',
    quality UInt8                 CODEC(ZSTD(1))        COMMENT 'metering.Quality: 0 raw, 1 valid, 2 estimated',
    version UInt64                CODEC(Delta, ZSTD(1)) COMMENT 'when it was received, see version.py'
)
ENGINE = ReplacingMergeTree(version)
PARTITION BY toMonday(time)
ORDER BY (point, time)
SETTINGS {durable}, non_replicated_deduplication_window = 1000
