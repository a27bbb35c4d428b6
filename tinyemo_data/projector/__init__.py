"""The Metric Projector: CLIP features into the embedding space of a language model (TinyEmo, §3)."""
