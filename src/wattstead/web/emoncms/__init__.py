"""What EmonCMS's readers ask, answered byte for byte in its forms; writing is received elsewhere.

An input and a feed are both a point here, under one id; a site is what EmonCMS calls a user.
"""
