"""One emulator for the contract tests of the ground the job gate stands on."""

from collections.abc import Iterator

import pytest

from contract.emulator import Emulator, running


@pytest.fixture(scope="session")
def emulator(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Emulator]:
    with running(tmp_path_factory.mktemp("ground") / "emulator.log") as emulator:
        yield emulator
