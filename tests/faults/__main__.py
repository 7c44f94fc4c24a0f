"""Every flow, every call, every way: `make faults`. Writes build/faults.json; exit 1 unless every point is survived."""

import json
import sys
import time
from pathlib import Path

from faults.flows import FLOWS
from faults.run import ground

ROW = "{:42} {:>7} {:>9} {:>7}"


def main() -> int:
    flows = {}
    print(ROW.format("flow", "points", "survived", "s"))
    with ground() as account:
        for flow in FLOWS:
            if sys.argv[1:] and sys.argv[1] not in flow.name:
                continue
            begun = time.monotonic()
            outcome = account.disturb(flow)
            survived = outcome.points - len(outcome.broken)
            flows[flow.name] = {"points": outcome.points, "survived": survived}
            print(ROW.format(flow.name, outcome.points, survived, f"{time.monotonic() - begun:.0f}"), flush=True)
            for where, what in outcome.broken.items():
                print(f"  {where}: {what}")
    path = Path("build/faults.json")
    path.parent.mkdir(exist_ok=True)
    path.write_text(json.dumps({"flows": flows}, indent=1) + "\n", "utf-8")
    return 0 if all(flow["points"] == flow["survived"] for flow in flows.values()) else 1


if __name__ == "__main__":
    sys.exit(main())
