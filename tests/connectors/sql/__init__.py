"""The connector for databases, on SQLite and on a real PostgreSQL."""
