"""One first load in a process of its own, and what it took: `python -m benchmarks.load COUNT [FOLDER]`.

The portal makes its contacts up while they are read and forgets what it is sent: the memory is the hub's.
Prints one JSON document: `rss` is the peak in bytes, `start` that of the program before it began to work.
"""

from __future__ import annotations

import json
import resource
import sys
import tempfile
from pathlib import Path

from benchmarks.hubs import as_the_command, pair
from benchmarks.portal import Portal


def peak() -> int:
    """The most memory that this program ever held, in bytes. (What `getrusage` tells on Linux is at
    least what the process that started this one held.)"""
    try:
        lines = Path("/proc/self/status").read_text().splitlines()
        return int(next(line.split()[1] for line in lines if line.startswith("VmHWM"))) * 1024
    except (OSError, StopIteration):
        return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss * 1024


def main() -> None:
    as_the_command()
    portal, count = Portal(), int(sys.argv[1])
    portal.made_up = count
    with tempfile.TemporaryDirectory() as folder:
        two = pair(Path(folder), portal)
        start = peak()
        tally, steps, calls = two.run()
        two.hub.close()
    told = {"rss": peak(), "start": start, "cpu": sum(steps.values()), "calls": calls}
    print(json.dumps({**told, "created": two.target.created, "read": tally.get("read")}))


if __name__ == "__main__":
    main()
