"""Everything that knows ffmpeg."""
