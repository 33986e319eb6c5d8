"""The command line, one file per group of commands. `trueup.cli` puts them together."""
