"""How well detection does, on recorded homes and on simulated ones with known truth (`yiju evaluate`)."""
