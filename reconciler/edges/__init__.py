"""The rest of the outside world: spec files, sources, published files."""
