"""The fault run: the shipped code in virtual time, with faults drawn from a seed."""
