"""How fast the worker is, measured against the least that could be done."""
