"""The functions' own code, and what Lambda hands to it beside the event."""

import importlib.util
from pathlib import Path
from types import ModuleType

_ROOT = Path(__file__).parents[2]


class Context:
    function_name = "test"
    memory_limit_in_mb = 128
    invoked_function_arn = "arn:aws:lambda:us-east-1:111122223333:function:test"
    aws_request_id = "id"

    def get_remaining_time_in_millis(self) -> int:
        return 900_000


def function(name: str) -> ModuleType:
    """A function's module, loaded anew."""
    spec = importlib.util.spec_from_file_location(f"functions_{name}", _ROOT / f"functions/{name}/app.py")
    assert spec is not None
    assert spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module
