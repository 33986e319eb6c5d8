"""The acceptance suite at work: on every connector there is, and on connectors that are broken on purpose."""
