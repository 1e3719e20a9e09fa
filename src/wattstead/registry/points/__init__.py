"""Points: which series there are, how senders call them, their tags."""
