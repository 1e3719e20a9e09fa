"""What an edge and its server say to each other: joining, configuration, uploads; both sides read it here."""
