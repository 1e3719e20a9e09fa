"""By which certificate this machine is known: kept, made or fetched, and changed while connections go on.

It opens no port and knows no other room; what is served with the certificate is no affair of it.
"""
