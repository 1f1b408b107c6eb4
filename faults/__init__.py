"""The fault run: the shipped functions and worker in virtual time, with faults drawn from a seed."""
