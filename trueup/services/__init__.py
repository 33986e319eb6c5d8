"""Use cases, and the one place where things are wired: what the command line, console and jobs sit on."""
