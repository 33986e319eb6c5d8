"""The decisions, pure: evidence, claims and verdicts, plans, guards, back-off."""
