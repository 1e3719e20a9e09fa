-- The versions this database has been through; the greatest is what its tables are like now.
CREATE TABLE IF NOT EXISTS schema_version
(
    version UInt32          CODEC(ZSTD(1)) COMMENT 'number of the migration',
    applied DateTime('UTC') CODEC(ZSTD(1)) COMMENT 'when it was done'
)
ENGINE = ReplacingMergeTree
ORDER BY version
SETTINGS {durable}
