"""Simulated homes: residents and their days, devices that speak like real ones, incidents, recordings played again."""
