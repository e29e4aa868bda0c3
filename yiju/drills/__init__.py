"""Drills: the real parts are made to fail on purpose, and an independent witness counts what was lost or doubled."""
