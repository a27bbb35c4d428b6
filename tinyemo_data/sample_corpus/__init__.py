"""Draws the demo's pictures and lays them out as the real datasets are distributed."""
