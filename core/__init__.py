"""The shared vocabulary: no network, no SQL. Every other package speaks in these words."""
