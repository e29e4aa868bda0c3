"""The alert engine: tick(now) as a list of stages."""
