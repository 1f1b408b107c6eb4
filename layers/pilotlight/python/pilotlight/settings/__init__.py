"""Settings of the functions, a module for each: a function loads its own alone."""
