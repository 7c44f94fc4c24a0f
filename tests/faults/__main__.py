"""Every flow, every call, every way: `make faults`. Writes build/faults.json; exit 1 unless every point is survived."""

import json
import os
import sys
from concurrent.futures import Future, ProcessPoolExecutor
from pathlib import Path

from faults.flows import FLOWS
from faults.injector import Way
from faults.run import Outcome, ground

ROW = "{:42} {:>7} {:>9}"


def main() -> int:
    chosen = [flow.name for flow in FLOWS if all(word in flow.name for word in sys.argv[1:])]
    figures = {}
    print(ROW.format("flow", "points", "survived"))
    with ProcessPoolExecutor(os.cpu_count()) as pool:
        running = {name: [pool.submit(disturbed, name, way) for way in Way] for name in chosen}
        for name, futures in running.items():
            figures[name] = told(name, futures)
    path = Path("build/faults.json")
    path.parent.mkdir(exist_ok=True)
    path.write_text(json.dumps({"flows": figures}, indent=1) + "\n", "utf-8")
    points, survived = (sum(flow[what] for flow in figures.values()) for what in ("points", "survived"))
    print(ROW.format("all", points, survived))
    return 0 if points == survived else 1


def disturbed(name: str, way: Way) -> Outcome:
    flow = next(flow for flow in FLOWS if flow.name == name)
    with ground() as account:
        return account.disturb(flow, way)


def told(name: str, futures: list[Future[Outcome]]) -> dict[str, int]:
    outcomes = [future.result() for future in futures]
    points = sum(outcome.points for outcome in outcomes)
    survived = points - sum(len(outcome.broken) for outcome in outcomes)
    print(ROW.format(name, points, survived), flush=True)
    for outcome in outcomes:
        for where, what in outcome.broken.items():
            print(f"  {where}: {what}", flush=True)
    return {"points": points, "survived": survived}


if __name__ == "__main__":
    sys.exit(main())
