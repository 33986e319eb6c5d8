"""Reproducible measurements: `make bench` writes RESULTS.md."""
