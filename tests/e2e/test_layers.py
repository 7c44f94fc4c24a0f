"""The layers as `sam build` makes them for this machine."""

import pytest

from e2e.conftest import Deployment
from tunegate_local.deploy import ROOT

# https://docs.aws.amazon.com/lambda/latest/dg/gettingstarted-limits.html: a function and its layers, unzipped.
LIMIT = 250 * 1024 * 1024


@pytest.mark.usefixtures("deployment")
def test_the_layers_fit_into_a_function_with_room_to_spare() -> None:
    sizes = {
        layer: sum(file.stat().st_size for file in (ROOT / ".aws-sam/build" / layer).rglob("*") if file.is_file())
        for layer in ("TunegateLayer", "VendorLayer")
    }
    print({layer: f"{size / 1024 / 1024:.1f} MiB unzipped" for layer, size in sizes.items()})
    assert 0 < sum(sizes.values()) < LIMIT / 2


def test_the_deployment_says_where_everything_is(deployment: Deployment) -> None:
    assert {"IntakeBucket", "ApprovedBucket", "QuarantineBucket", "LedgerTable"} <= deployment.outputs.keys()
