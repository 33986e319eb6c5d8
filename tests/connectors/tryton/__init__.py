"""The connector for Tryton, against a real Tryton 8.2."""
