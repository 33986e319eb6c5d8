"""CEL, read and typed by ourselves: see `trueup.lifecycle.conditions` for why and how."""
