"""Use cases, and the one place where things are wired. The command line, the console and the jobs sit on it."""
