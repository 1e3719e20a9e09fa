-- What a newer reading of the same (point, time) took the place of; answers "as known at". Written twice, kept once.
-- Retention: by whole months of the reading's own time, for each class of points.
CREATE TABLE IF NOT EXISTS reading_replaced
(
    point       UInt32                CODEC(Delta, ZSTD(1)) COMMENT 'id of the point',
    time        DateTime64(6, 'UTC')  CODEC(Delta, ZSTD(1)) COMMENT 'the instant the reading is of',
    value       Float64               CODEC(ZSTD(1))        COMMENT 'the value that was replaced',
    quality     UInt8                 CODEC(ZSTD(1))        COMMENT 'its quality',
    version     UInt64                CODEC(Delta, ZSTD(1)) COMMENT 'its version: when it was received',
    replaced_by UInt64                CODEC(Delta, ZSTD(1)) COMMENT 'version of the reading that took its place'
)
ENGINE = ReplacingMergeTree(replaced_by)
PARTITION BY toYYYYMM(time)
ORDER BY (point, time, version)
SETTINGS {durable}
