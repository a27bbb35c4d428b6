"""Dagster assets and checks: what exists and what it depends on. No algorithm lives here."""
