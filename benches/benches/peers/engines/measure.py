"""What the programs beside this one share: they measure what a line names, and answer by a line of JSON."""

import json
import sys
import time

# A run is timed in batches that take at least so many nanoseconds; the median of so many batches counts.
BATCH = 20_000_000
BATCHES = 7
# A run that takes longer than this is not made again.
LONG = 2_000_000_000


def serve(workloads):
    """Answers by nanoseconds of processor time a run, for `chain 3` with what `workloads["chain"](3)` makes."""
    for line in sys.stdin:
        name, size = line.split()
        try:
            answer = measure(*workloads[name](int(size)))
        except Exception as error:
            answer = {"why": f"{type(error).__name__}: {error}"}
        print(json.dumps(answer), flush=True)


def measure(run, runs=1):
    """Measures a function that makes so many runs."""

    def batch(calls):
        begun = time.process_time_ns()
        for _ in range(calls):
            run()
        return time.process_time_ns() - begun

    calls = 1
    while (took := batch(calls)) < BATCH:
        calls *= 2
    times = [took] if took > LONG else [batch(calls) for _ in range(BATCHES)]
    times = sorted(took / calls / runs for took in times)
    quarter = len(times) // 4
    return {"value": times[len(times) // 2], "spread": times[-1 - quarter] - times[quarter]}
