"""`python -m tunegate_local.detectors comprehend --port 4701`."""

import argparse

from tunegate_local.detectors.server import serve


def main() -> None:
    """Serves one service until it is told to stop."""
    parser = argparse.ArgumentParser(prog="tunegate_local.detectors", description=__doc__)
    parser.add_argument("service", choices=["comprehend", "bedrock-runtime"])
    parser.add_argument("--port", type=int, required=True)
    parser.add_argument("--host", default="127.0.0.1")
    arguments = parser.parse_args()
    serve(arguments.service, arguments.port, arguments.host)


if __name__ == "__main__":
    main()
