"""The MM-LLM: composes a vision tower and a language model, trains them in two stages, asks them about pictures."""
