"""Benchmarks (`yiju bench ...`): each is given the servers it measures and returns figures. One file each."""
