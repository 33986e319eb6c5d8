"""Words: the values that every other room speaks in. Pure; imports nothing else of trueup."""
