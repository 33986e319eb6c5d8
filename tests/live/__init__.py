"""Real servers that the tests start on this machine: PostgreSQL and Tryton."""
