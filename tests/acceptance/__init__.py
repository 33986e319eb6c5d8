"""The proofs: whole hubs over the vendors' stand-ins, judged by what the stand-ins themselves wrote down."""
