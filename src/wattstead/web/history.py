"""Questions about readings, asked of `series` in threads of their own; the only file here that knows its methods."""

from __future__ import annotations

from wattstead.series import Buckets

__all__ = ["Buckets"]
