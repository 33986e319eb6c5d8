"""Shipped proof: a simulated world of the whole hub, and the acceptance suite of connectors."""
