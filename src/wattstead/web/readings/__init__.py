"""What every question about readings shares: instants, spans, units of amounts, and asking `series`."""
