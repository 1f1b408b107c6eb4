"""Scaling rules over a trace of jobs, in virtual time, on the group model of the embedded AWS."""
