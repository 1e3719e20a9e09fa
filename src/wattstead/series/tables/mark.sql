-- How far rollups and retention have come, by name; a mark only moves forward.
CREATE TABLE IF NOT EXISTS mark
(
    name  String CODEC(ZSTD(1)) COMMENT 'rolled minute, rolled quarter, expired reading <class>, era …',
    value UInt64 CODEC(ZSTD(1)) COMMENT 'µs since 1970, or a count'
)
ENGINE = ReplacingMergeTree(value)
ORDER BY name
SETTINGS {durable}
