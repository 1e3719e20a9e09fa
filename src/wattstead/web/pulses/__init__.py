"""The pulse API: what the clients of blink-counting servers ask, answered as those did; reads only, of pulse meters."""
