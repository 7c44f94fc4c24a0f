"""Gaps in how Step Functions waits for a task token."""

from contextvars import ContextVar
from typing import Any

from ministack.services import stepfunctions


def waiting_tasks_fail_with_their_function_and_in_time() -> None:
    """Ministack waits on where the function failed that was to keep the token, and knows no `TimeoutSecondsPath`.

    https://docs.aws.amazon.com/step-functions/latest/dg/connect-to-resource.html#connect-wait-token
    https://docs.aws.amazon.com/step-functions/latest/dg/state-task.html
    """
    execute, invoke, call = (
        stepfunctions._execute_task,
        stepfunctions._invoke_with_callback,
        stepfunctions._call_lambda,
    )
    waiting: ContextVar[str] = ContextVar("waiting", default="")

    def execute_task(state: dict[str, Any], raw_input: Any, execution: Any, context: Any) -> Any:
        path = state.get("TimeoutSecondsPath")
        if path is not None:
            effective = stepfunctions._apply_input_path(state, raw_input, context)
            state = {**state, "TimeoutSeconds": stepfunctions._resolve_path_or_ctx(path, effective, context)}
        return execute(state, raw_input, execution, context)

    def invoke_with_callback(resource: str, payload: Any, token: str, state: Any) -> Any:
        held = waiting.set(token)
        try:
            return invoke(resource, payload, token, state)
        finally:
            waiting.reset(held)

    def call_lambda(function: str, event: Any) -> Any:
        try:
            return call(function, event)
        except stepfunctions._ExecutionError as error:
            task = stepfunctions._task_tokens.get(waiting.get()) if waiting.get() else None
            if task is not None:
                task["error"] = {"Error": error.error, "Cause": error.cause}
                task["event"].set()
            raise

    stepfunctions._execute_task = execute_task
    stepfunctions._invoke_with_callback = invoke_with_callback
    stepfunctions._call_lambda = call_lambda
