"""Everything that knows the ByteNite API."""
