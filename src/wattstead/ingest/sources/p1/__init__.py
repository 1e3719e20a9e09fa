"""P1: smart meters of the Netherlands, Belgium, Luxembourg and others at their customer port, through a TCP gateway."""
