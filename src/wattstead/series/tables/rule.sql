-- How the readings of a point become steps (metering.StepRule), its time zone, and what of it has expired.
CREATE TABLE IF NOT EXISTS rule
(
    point        UInt32   CODEC(Delta, ZSTD(1)) COMMENT 'id of the point',
    mode         UInt8    CODEC(ZSTD(1))        COMMENT 'metering.StepMode: 0 none, 1 register, 2 power, 3 delta, 4 mean',
    quantum      Float64  CODEC(ZSTD(1))        COMMENT 'one step in the unit of the point: 0.000001',
    width        Int64    CODEC(ZSTD(1))        COMMENT 'steps after which a register begins at 0 again; 0: never',
    max_rate     Float64  CODEC(ZSTD(1))        COMMENT 'most believable steps per second; 0: unknown',
    tolerance    Int64    CODEC(ZSTD(1))        COMMENT 'steps a register may fall back',
    max_gap_us   Int64    CODEC(ZSTD(1))        COMMENT 'longest silence that is no gap: 1800000000',
    zone         String   CODEC(ZSTD(1))        COMMENT 'time zone of the site: Europe/Berlin',
    raw_from     Int64    CODEC(ZSTD(1))        COMMENT 'readings before this instant (µs) have expired; 0: none',
    minute_from  Int64    CODEC(ZSTD(1))        COMMENT 'minutes before this instant (µs) have expired; 0: none',
    quarter_from Int64    CODEC(ZSTD(1))        COMMENT 'quarter hours before this instant (µs) have expired; 0: none',
    rule_version UInt32   CODEC(ZSTD(1))        COMMENT 'grows with each change of rule or zone',
    version      UInt32   CODEC(ZSTD(1))        COMMENT 'grows with each change of this row'
)
ENGINE = ReplacingMergeTree(version)
ORDER BY point
SETTINGS {durable}
