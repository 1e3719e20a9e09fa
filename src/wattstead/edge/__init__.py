"""The agent on site: reads meters there, keeps what they say on its own disk, sends it in order when there is a link.

It has no registry, no store and no pages: a signed configuration from its server says what to read and how.
"""
