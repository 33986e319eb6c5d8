"""A new hub: files with comments, from a few answers; a mapping of tables is proposed from their headers."""
