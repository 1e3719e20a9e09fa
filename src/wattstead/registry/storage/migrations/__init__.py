"""How the schema grows; run by `wattstead.registry.migrate`, never by hand."""
