"""The connector for text tables."""
