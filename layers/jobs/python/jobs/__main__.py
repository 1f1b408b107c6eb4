"""Run one job here, without any AWS: `python -m jobs '{"task": "train", "seed": 7}'`."""

import sys

from pilotlight.worker.run_here import main

if __name__ == "__main__":
    sys.exit(main())
