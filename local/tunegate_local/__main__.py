"""Run one part of the embedded cloud in the foreground: `python -m tunegate_local emulator --port 4566`."""

import argparse

from tunegate_local import emulator, oncall

PARTS = {"emulator": emulator.serve, "oncall": oncall.serve}


def main() -> None:
    parser = argparse.ArgumentParser(prog="python -m tunegate_local", description=__doc__)
    parser.add_argument("part", choices=PARTS)
    parser.add_argument("--port", type=int, required=True)
    arguments = parser.parse_args()
    PARTS[arguments.part](arguments.port)


if __name__ == "__main__":
    main()
