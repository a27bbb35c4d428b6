"""Mitigation: the projector learns again with accepted biases weighed away, and what that changed is measured."""
