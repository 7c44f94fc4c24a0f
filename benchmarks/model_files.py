"""How many malicious model files are caught: Tunegate beside the public scanners, on the scanners' own fixtures.

    python benchmarks/model_files.py [--json build/bench.json] [--missed]

Exits 1 where Tunegate misses a file that another scanner catches, says anything against a real model's files, or is the
slower one; 2 where a scanner or the fixtures cannot be had. Nothing is unpickled, by anyone.
"""

import argparse
import contextlib
import importlib
import io
import json
import logging
import os
import subprocess
import sys
import tempfile
import time
from pathlib import Path
from typing import Any

from models import fixtures, packages

from tunegate.judge.weights import judge_model
from tunegate.model import ObjectVersion, Verdict
from tunegate.policy import default_policy
from tunegate.scan.source import FileSource
from tunegate.scan.weights.findings import FileReport
from tunegate.scan.weights.reading import BytesSource
from tunegate.scan.weights.upload import ModelFile, examine_file, examine_upload

ROW = "{:12} {:>8} {:>8} {:>8} {:>8} {:>15}"
COLUMNS = ("caught", "refused", "missed", "errors", "benign_caught")
ROUNDS = 5
LLAMA = {"architectures": ["LlamaForCausalLM"], "max_position_embeddings": 512, "torch_dtype": "float32"}


def caught(report: FileReport) -> str:
    """`caught` where something hostile is named; a pickle of mere data, an archive and any other format that Bedrock
    does not import are `refused`, which flags the upload all the same."""
    hostile = {finding.type for finding in report.findings if finding.category in ("unsafe_model", "malware")}
    return "caught" if hostile - {"pickle", "archive"} else "refused" if report.findings else "missed"


def ours(folder: Path) -> dict[str, str]:
    files = sorted(path for path in folder.rglob("*") if path.is_file())
    return {
        str(path.relative_to(folder)): caught(examine_file(ModelFile(path.name, FileSource(path)))) for path in files
    }


def theirs(name: str, folder: Path) -> dict[str, str]:
    script = Path(fixtures.__file__).parent / "scan_with.py"
    environment = {**os.environ, "PYTHONPATH": str(packages.scanner(name)), "PYTHONWARNINGS": "ignore"}
    command = [sys.executable, str(script), name, str(folder)]
    done = subprocess.run(command, env=environment, capture_output=True, text=True, check=True)  # noqa: S603
    answers: dict[str, str] = json.loads(done.stdout)
    return answers


def speed(folder: Path) -> float:
    """How many times as fast as picklescan Tunegate is, on the same files in the same process: best of some rounds."""
    sys.path.append(str(packages.scanner("picklescan")))
    picklescan: Any = importlib.import_module("picklescan.scanner")
    logging.disable(logging.CRITICAL)
    paths = sorted((folder / "picklescan").iterdir()) + sorted((folder / "modelaudit").glob("*.pkl"))
    best: dict[str, float] = {}
    for _ in range(ROUNDS):
        for who in ("ours", "picklescan"):
            start = time.perf_counter()
            for path in paths:
                if who == "ours":
                    examine_file(ModelFile(path.name, FileSource(path)))
                else:
                    with contextlib.redirect_stdout(io.StringIO()):
                        picklescan.scan_file_path(str(path))
            best[who] = min(best.get(who, float("inf")), time.perf_counter() - start)
    return best["picklescan"] / best["ours"]


def chat_templates() -> tuple[int, int, int]:
    """(hostile found, hostile in all, honest flagged) of the settings files with chat templates."""
    flagged = [
        (bad, bool(examine_file(ModelFile("tokenizer_config.json", BytesSource(data))).findings))
        for _, data, bad in fixtures.templates()
    ]
    return flagged.count((True, True)), sum(bad for bad, _ in flagged), flagged.count((False, True))


def real_model() -> tuple[bool, int, int]:
    """(clean, bytes read, bytes) of a real model's weights, its config made to say Llama: Bedrock takes no BERT."""
    files = fixtures.real_model()
    wanted = ("model.safetensors", "tokenizer.json", "tokenizer_config.json", "special_tokens_map.json", "vocab.txt")
    upload = {name: files[name] for name in (*wanted, "README.md", ".gitattributes")}
    upload["config.json"] = json.dumps({**json.loads(files["config.json"]), **LLAMA}).encode()
    facts = examine_upload([ModelFile(name, BytesSource(data)) for name, data in upload.items()])
    decision = judge_model(ObjectVersion("", "model/", ""), facts, default_policy())
    if decision.verdict is not Verdict.CLEAN:
        print(f"the real model is {decision.verdict}: {decision.reason}")
    weights = facts.shards[0]
    return decision.verdict is Verdict.CLEAN, weights.bytes_read, weights.size


def main() -> int:
    options = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    options.add_argument("--json", type=Path, help="merge the figures into this file")
    options.add_argument("--missed", action="store_true", help="print which files each scanner misses")
    chosen = options.parse_args()
    try:
        return _measure(chosen.json, chosen.missed)
    except (subprocess.CalledProcessError, StopIteration) as error:
        print(f"a scanner or its fixtures cannot be had: {error}", file=sys.stderr)
        return 2


def _measure(out: Path | None, show_missed: bool) -> int:
    with tempfile.TemporaryDirectory() as temporary:
        folder = Path(temporary)
        malicious = fixtures.write(folder)
        answers = {"tunegate": ours(folder), **{name: theirs(name, folder) for name in packages.scanner_names()}}
        ratio = speed(folder)
    figures = {name: _row(answer, malicious) for name, answer in answers.items()}
    print(f"{sum(malicious.values())} malicious and {len(malicious) - sum(malicious.values())} benign files")
    print(ROW.format("scanner", *(column.replace("_", " ") for column in COLUMNS)))
    for name, row in figures.items():
        print(ROW.format(name, *(row[column] for column in COLUMNS)))
    if show_missed:
        for name, answer in answers.items():
            print(f"{name}: {sorted(file for file, bad in malicious.items() if bad and answer[file] != 'caught')}")
    lost = [
        file
        for file, hostile in malicious.items()
        if hostile
        and answers["tunegate"][file] == "missed"
        and any(answer[file] == "caught" for answer in answers.values())
    ]
    templates, of, honest = chat_templates()
    clean, read, size = real_model()
    print(f"chat templates: {templates} of {of} hostile found, {honest} honest flagged")
    print(
        f"a real model: {'clean' if clean else 'NOT clean'}, {read / 1e6:.2f} MB read of {size / 1e6:.1f} MB of weights"
    )
    print(f"caught by another scanner and not flagged by Tunegate: {lost or 'none'}")
    print(f"speed on the same files: {ratio:.2f} times picklescan's")
    if out is not None:
        known = json.loads(out.read_text("utf-8")) if out.exists() else {}
        out.parent.mkdir(parents=True, exist_ok=True)
        known["model_files"] = {**figures, "lost": len(lost), "templates": templates, "templates_of": of}
        known["vs_picklescan"] = round(ratio, 2)
        out.write_text(json.dumps(known, indent=1) + "\n")
    return int(bool(lost) or not clean or honest > 0 or templates < of or ratio < 1)


def _row(answer: dict[str, str], malicious: dict[str, bool]) -> dict[str, int]:
    bad = [answer[file] for file, hostile in malicious.items() if hostile]
    good = [answer[file] for file, hostile in malicious.items() if not hostile]
    counts = {column: bad.count(column) for column in ("caught", "refused", "missed")}
    return {**counts, "errors": bad.count("error"), "benign_caught": good.count("caught")}


if __name__ == "__main__":
    sys.exit(main())
