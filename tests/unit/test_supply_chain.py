"""What is built from: every package by its hash, every exception from a check with its reason, and an honest audit."""

import json
import re
import subprocess
import sys
import tomllib
from collections.abc import Iterator
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, HTTPServer
from itertools import pairwise
from pathlib import Path
from threading import Thread
from typing import Any

import pytest

ROOT = Path(__file__).parents[2]
TEMPLATES = [ROOT / "template.yaml", *sorted((ROOT / "stacks").glob("*.yaml"))]
_SKIP = re.compile(r"checkov:skip=(\S*?):(.*)")


def test_each_package_of_the_lock_is_known_by_its_hash() -> None:
    lock = tomllib.loads((ROOT / "uv.lock").read_text())
    packages = [package for package in lock["package"] if "registry" in package["source"]]
    assert len(packages) > 100
    for package in packages:
        files = [*package.get("wheels", []), *([package["sdist"]] if "sdist" in package else [])]
        assert files, package["name"]
        assert all(file["hash"].startswith("sha256:") for file in files), package["name"]
    others = {package["name"] for package in lock["package"] if "registry" not in package["source"]}
    assert others == {"tunegate"}, "all else comes from a registry, by hash"


@pytest.mark.parametrize("name", ["layers/vendor/requirements.txt", "checks/checkov.txt"])
def test_each_requirement_is_pinned_and_known_by_its_hash(name: str) -> None:
    entries = (ROOT / name).read_text().replace("\\\n", " ").splitlines()
    assert entries
    for entry in entries:
        assert re.match(r"[a-z0-9._-]+(\[[a-z,]+\])?==[^ ]+ ", entry), entry[:80]
        assert "--hash=sha256:" in entry, entry[:80]


def test_each_exception_from_the_checks_of_templates_has_its_reason() -> None:
    skips = [(path.name, *found.groups()) for path in TEMPLATES for found in _SKIP.finditer(path.read_text())]
    assert skips
    for name, check, reason in skips:
        assert re.fullmatch(r"CKV2?_AWS_\d+", check), f"{name}: {check}"
        assert len(reason.split()) >= 6, f"{name}: {check} is skipped for no reason"
    for path in TEMPLATES:
        lines = path.read_text().splitlines()
        for above, line in pairwise(lines):
            assert "ignore_checks" not in line or above.strip().startswith("# "), f"{path.name}: {line.strip()}"


@contextmanager
def _service(vulnerable: str) -> Iterator[str]:
    """A service of OSV's protocol that knows of one vulnerability, of the package of that name."""

    class Handler(BaseHTTPRequestHandler):
        def do_POST(self) -> None:
            queries = json.loads(self.rfile.read(int(self.headers["content-length"])))["queries"]
            known = {"vulns": [{"id": "GHSA-0000-0000-0000", "modified": "2026-01-01T00:00:00Z"}]}
            self._say({"results": [known if query["package"]["name"] == vulnerable else {} for query in queries]})

        def do_GET(self) -> None:
            affected = {"package": {"ecosystem": "PyPI", "name": vulnerable}}
            ranges = [{"type": "ECOSYSTEM", "events": [{"introduced": "0"}]}]
            times = dict.fromkeys(("modified", "published"), "2026-01-01T00:00:00Z")
            name = self.path.rpartition("/")[2]
            self._say({"id": name, "summary": "made up", "affected": [affected | {"ranges": ranges}], **times})

        def _say(self, document: Any) -> None:
            body = json.dumps(document).encode()
            self.send_response(200)
            self.send_header("content-type", "application/json")
            self.send_header("content-length", str(len(body)))
            self.end_headers()
            self.wfile.write(body)

        def log_message(self, *_: Any) -> None: ...

    server = HTTPServer(("127.0.0.1", 0), Handler)
    Thread(target=server.serve_forever, daemon=True).start()
    try:
        yield f"http://127.0.0.1:{server.server_port}/"
    finally:
        server.shutdown()
        server.server_close()


def _audited(url: str) -> subprocess.CompletedProcess[str]:
    command = [sys.executable, "checks/audit.py", str(ROOT / ".tools/bin/uv"), url]
    return subprocess.run(command, cwd=ROOT, capture_output=True, text=True, check=False)


def test_a_known_vulnerability_fails_the_check_and_names_the_package() -> None:
    with _service("jinja2") as url:
        done = _audited(url)
    assert done.returncode == 1
    assert "jinja2" in done.stderr
    assert "GHSA-0000-0000-0000" in done.stderr


def test_packages_of_which_nothing_is_known_pass_in_silence() -> None:
    with _service("none-such") as url:
        done = _audited(url)
    assert (done.returncode, done.stderr) == (0, "")


def test_where_nobody_can_be_asked_the_audit_says_that_there_was_none() -> None:
    done = _audited("http://127.0.0.1:9/")
    assert done.returncode == 0
    assert "NOT audited" in done.stderr
