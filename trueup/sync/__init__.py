"""The sync engine: `inbox` lands, `decide` decides, `outbox` delivers, `engine` runs them end to end."""
