"""Who is who: one normaliser, and (later) blocking, comparison, decision. Pure."""
