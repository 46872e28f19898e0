"""A server that speaks the ByteNite API and really encodes."""
