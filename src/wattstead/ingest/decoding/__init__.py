"""What decoders share: columns of readings, instants, loose JSON, packed bodies, tables in files."""
