"""Instruct sets by prompting language models: prompts, and later the engine."""
