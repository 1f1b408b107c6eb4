"""Code that a function finds in its layer."""

PLACE = "layer"
