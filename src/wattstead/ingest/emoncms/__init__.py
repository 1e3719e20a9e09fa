"""What EmonCMS's senders call: input/post and input/bulk; where EmonCMS loses or changes readings, here they are kept.

Each difference is listed in ``docs/emoncms.md``.
"""
