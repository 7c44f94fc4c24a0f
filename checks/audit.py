"""Whether a vulnerability is known of any package in uv.lock; `make check` runs it.

    python checks/audit.py PATH_OF_UV [URL of a service that speaks OSV's protocol]

Exit code 1 where one is. Where the service cannot be asked, nothing is known: it says so, and that is no failure.
"""

import json
import os
import subprocess
import sys
from collections.abc import Sequence

SECONDS = 60
_ASK = ("audit", "--preview-features", "audit-command,json-output", "--frozen", "--output-format", "json")


def audit(uv: str, *service: str) -> int:
    command = [uv, *_ASK, *(("--service-url", service[0]) if service else ())]
    patience = {"UV_HTTP_TIMEOUT": "10", "UV_HTTP_RETRIES": "1"}
    try:
        done = subprocess.run(
            command, env={**os.environ, **patience}, capture_output=True, text=True, timeout=SECONDS, check=False
        )
    except subprocess.TimeoutExpired:
        return _not_asked("it did not answer in time")
    if done.stdout.strip():
        return _told(json.loads(done.stdout))
    if "Request failed" in done.stderr or "error sending request" in done.stderr:
        return _not_asked("it cannot be reached from here")
    print(f"The audit of the packages failed:\n{done.stderr}", file=sys.stderr)
    return 1


def _told(report: dict[str, object]) -> int:
    found = report["vulnerabilities"]
    assert isinstance(found, list)  # noqa: S101
    for one in found:
        fixed = ", ".join(one["fix_versions"]) or "none yet"
        package = f"{one['dependency']['name']} {one['dependency']['version']}"
        print(f"{package}: {one['display_id']}, {one['summary']}; mended in: {fixed}", file=sys.stderr)
    return 1 if found else 0


def _not_asked(why: str) -> int:
    print(f"The packages were NOT audited: the vulnerability service was asked, and {why}.", file=sys.stderr)
    return 0


def main(arguments: Sequence[str]) -> int:
    return audit(*arguments)


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
