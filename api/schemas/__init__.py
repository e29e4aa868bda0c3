"""The shapes of `/api/v1`, as OpenAPI describes them: a file a noun."""
