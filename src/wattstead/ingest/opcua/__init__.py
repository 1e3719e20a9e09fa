"""OPC UA: nodes of a server subscribed to, every value received with the time it had there; writes nothing.

`settings` is what a person sets, `binary` reads a notification's bytes, `decoding` makes columns of it, `identity` is
the certificate by which servers know this program, `connecting` opens a session, `receiving` subscribes and
acknowledges, `browsing` is for people who set one up. Only a server has it: the library is not small.
"""
