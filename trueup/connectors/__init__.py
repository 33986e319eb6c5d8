"""One folder per system; `base` says what a connector is, `registry` finds them."""
