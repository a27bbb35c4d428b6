"""CLIP features: the encoder, the cache on disk, and the importer of features that others released."""
