"""One emulator for all of Bedrock's contract tests, its jobs in a hurry."""

from collections.abc import Iterator

import pytest

from contract.bedrock.world import STAGE_SECONDS, Account
from contract.emulator import running


@pytest.fixture(scope="session")
def account(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Account]:
    with running(tmp_path_factory.mktemp("bedrock") / "emulator.log") as emulator:
        account = Account(emulator)
        account.stage_seconds(STAGE_SECONDS)
        yield account


@pytest.fixture
def slowly(account: Account) -> Iterator[None]:
    """Stages long enough for a test to do something between them."""
    account.stage_seconds(0.6)
    yield
    account.stage_seconds(STAGE_SECONDS)
