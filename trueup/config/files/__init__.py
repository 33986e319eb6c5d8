"""What may stand in each configuration file: one module per file, described once for all uses."""
