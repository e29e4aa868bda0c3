"""What is neither sensing nor alerting: the register of regions, homes, people and their rights (so far)."""
