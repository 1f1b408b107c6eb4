"""Lifecycle actions, commands and what is made of them: decisions, standard library only."""
