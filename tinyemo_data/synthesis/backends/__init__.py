"""Backends: what answers a request, each behind one small function or class."""
