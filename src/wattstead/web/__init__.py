"""What people and programs read: the JSON API, live streams, sessions, the compatible read APIs, the pages.

Handlers are short and hold no formula and no SQL; readings are never written here.
"""
