"""Ways in that are opened from here: brokers, buses, ports; what they share, and the table of them."""
