"""The jobs of this fleet. Replace handler.py by your own; see docs/jobs.md."""
