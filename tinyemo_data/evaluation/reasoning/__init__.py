"""How good the MM-LLM's explanations are: do they state the right emotion, hold to the picture, and differ."""
