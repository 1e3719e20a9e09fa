"""Files that people bring and take: tables in and out, and pictures."""
