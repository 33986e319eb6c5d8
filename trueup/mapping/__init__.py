"""Between a system's fields and canonical fields: rules as data, compiled once, applied to many. Pure."""
