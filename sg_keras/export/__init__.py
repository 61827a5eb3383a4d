"""Networks as files that other programs open."""
