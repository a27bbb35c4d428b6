"""Measurements that anyone can repeat: `python -m benchmarks.<name>` prints a ratio to a named alternative."""
