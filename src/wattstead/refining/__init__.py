"""From raw to trusted: judges what the journal holds, stores it, keeps the latest values and has rollups computed.

Receives nothing itself and answers no questions about history; it knows the registry only through two callables.
"""
