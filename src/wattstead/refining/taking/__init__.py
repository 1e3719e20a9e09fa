"""From the journal: batches read, judged and collected until they are stored."""
