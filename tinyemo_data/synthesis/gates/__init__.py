"""Gates: what a reply and its records must pass, each with the reason that it gives. `registry.py` lists them."""
