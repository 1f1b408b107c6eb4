"""Empty jobs a second of one worker, beside loops that only receive and delete."""
