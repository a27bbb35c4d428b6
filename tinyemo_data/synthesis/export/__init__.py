"""Instruct records as other programs read them (LLaVA's JSON, TRL's messages), a linter, and the released sets."""
