"""Small tools for the outside world, without any knowledge of encodes."""
