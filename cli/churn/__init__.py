"""Churn: jobs go through a fleet that is being pulled apart, and each has to come out once."""
