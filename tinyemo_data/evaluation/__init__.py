"""How good it is: classification metrics, baselines, and the paper's tables beside them."""
