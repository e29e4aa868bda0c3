"""The embedded stack: PostgreSQL and a broker as child processes in one data folder, without root or Docker."""
