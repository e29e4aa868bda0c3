"""Runs in the home: device messages in, durable outbox, batches up to the platform until it has them."""
