"""Tryton 8: parties with their contact mechanisms, addresses and employers, over JSON-RPC."""
