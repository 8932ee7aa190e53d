"""Gives back what it is given, in lines of JSON."""

import json
import sys

for line in sys.stdin:
    print(json.dumps(json.loads(line)), flush=True)
