"""What HTTP wants of every noun alike: the front door, versions, repetitions, filters, large answers."""
