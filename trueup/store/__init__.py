"""The hub's memory: SQLAlchemy tables, migrations and the verbs of the Store port; here and only here."""
