"""InfluxQL for readers: text into a frozen question, the question into Influx's JSON; never writes."""
