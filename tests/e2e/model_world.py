"""Models as people upload them to the embedded cloud, and what became of them."""

import json
from collections.abc import Mapping

from e2e.conftest import Deployment, wait_for
from tunegate.model import ObjectVersion
from tunegate.rows import DecisionRow

MANIFEST = "manifest.json"


def put_model(deployment: Deployment, prefix: str, files: Mapping[str, bytes]) -> dict[str, ObjectVersion]:
    """Every file below the prefix, and last the manifest that says they are all."""
    put = {name: deployment.put(prefix + name, data) for name, data in files.items()}
    listed = [{"name": name, "size": len(data)} for name, data in files.items()]
    put[MANIFEST] = deployment.put(prefix + MANIFEST, json.dumps({"files": listed}).encode())
    return put


def decided(deployment: Deployment, prefix: str) -> DecisionRow:
    """The newest decision on a whole upload."""
    rows = wait_for(f"a decision on {prefix}", lambda: deployment.decisions(prefix) or None)
    return rows[0]


def whereabouts(deployment: Deployment, upload: ObjectVersion, body: bytes) -> set[str]:
    """The buckets that hold these very bytes under the upload's key."""
    found = set()
    for bucket in ("IntakeBucket", "ApprovedBucket", "QuarantineBucket"):
        for version in deployment.versions(bucket, upload.key):
            at = ObjectVersion(deployment.outputs[bucket], upload.key, version["VersionId"])
            if deployment.body(at) == body:
                found.add(bucket)
    return found
