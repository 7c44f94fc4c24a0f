"""Build the screen's data from public packages: Gitleaks' rules and the linear jailbreak model.

    uv run --no-project --python 3.13 --with scikit-learn==1.7.2 --with google-re2 --with pyyaml --with pip \
        python benchmarks/build_screen_model.py

The same packages give the same artefact. Nothing of the held-out part is read into the model (see screen/corpora.py).
"""

import hashlib
import json
from pathlib import Path
from typing import Any

from screen import corpora, gitleaks, training

DATA = Path(__file__).parent.parent / "layers/tunegate/tunegate/scan/screen/data"


def main() -> None:
    rules = gitleaks.rules(corpora.gitleaks_rules())
    write("gitleaks.json", {"licence": "MIT, Copyright (c) 2019 Zachary Rice", "rules": rules})
    jailbreaks, _ = corpora.split(corpora.jailbreaks())
    benign, _ = corpora.split(corpora.benign())
    model = training.train(jailbreaks, benign, training.ordinary_roles())
    write("jailbreak_model.json", model | {"provenance": provenance(len(jailbreaks), len(benign))})


def provenance(jailbreaks: int, benign: int) -> dict[str, Any]:
    packages = [line for line in (corpora.HERE / "packages.txt").read_text().splitlines() if not line.startswith("#")]
    return {
        "made_by": "benchmarks/build_screen_model.py",
        "packages": packages,
        "records": {"jailbreak": jailbreaks, "benign": benign},
        "held_out": f"one near-duplicate group in {corpora.HELD_OUT_SHARE}",
    }


def write(name: str, content: dict[str, Any]) -> None:
    text = json.dumps(content, indent=1, ensure_ascii=False, sort_keys=True) + "\n"
    (DATA / name).write_text(text, "utf-8")
    print(f"{name}: {len(text):,} bytes, sha256 {hashlib.sha256(text.encode()).hexdigest()}")


if __name__ == "__main__":
    main()
