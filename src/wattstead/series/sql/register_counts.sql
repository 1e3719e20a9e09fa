    arrayMap(value -> {register_count}, v0) AS counts0,
    arrayMap(value -> {register_count}, v1) AS counts1,
