"""The platform's face: REST, live events, and the web pages of workers, families and managers."""
