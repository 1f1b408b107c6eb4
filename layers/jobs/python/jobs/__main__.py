"""Run one job here, without any AWS: `echo '{"task": "train"}' | python -m jobs`.

Standard input is the payload, standard output the result.
"""

import json
import sys

from jobs.handler import handle
from pilotlight.jobs.job import Job
from pilotlight.jobs.records import result_text

if __name__ == "__main__":
    sys.stdout.write(result_text(handle(json.load(sys.stdin), Job("local"))) + "\n")
