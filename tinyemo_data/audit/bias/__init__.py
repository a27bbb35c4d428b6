"""The bias audit: which attributes of a picture the projector takes for which emotion, and where it learnt that.

It finds, measures and ranks (attribute, emotion) pairs; whether a pair is a bias or a legitimate cue, a person
decides.
"""
