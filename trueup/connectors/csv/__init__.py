"""Text tables: one file, or a folder of them, read as they are and written back as they were."""
