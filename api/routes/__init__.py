"""REST, for programs: `/api/v1`, /health and /metrics."""
