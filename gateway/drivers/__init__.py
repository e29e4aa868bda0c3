"""One file a device family: each turns its family's messages into readings and knows nothing else."""
