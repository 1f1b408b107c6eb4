"""How fast the parts are, measured against the least that could be done."""
