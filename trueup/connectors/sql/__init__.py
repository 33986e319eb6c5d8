"""Any database that SQLAlchemy reaches: tables and views as objects."""
