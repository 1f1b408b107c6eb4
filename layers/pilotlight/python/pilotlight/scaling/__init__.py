"""How many instances the queue is worth: decisions, standard library only."""
