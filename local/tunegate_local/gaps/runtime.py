"""Gaps in running functions and in accepting templates."""

import json
import os
import sys
import time
from contextvars import ContextVar
from typing import Any

import yaml
from ministack.core import lambda_runtime
from ministack.services import lambda_svc, stepfunctions
from ministack.services.cloudformation import provisioners

# More processes of one function than this only take the processors from each other.
PROCESSES_PER_FUNCTION = (os.cpu_count() or 1) + 1


def functions_see_their_layers_only() -> None:
    """Ministack runs functions with its own interpreter, so they could import what is in none of their layers."""
    detect = lambda_runtime._detect_runtime_binary

    def detect_runtime_binary(runtime: str) -> tuple[str, str]:
        binary, script = detect(runtime)
        # The interpreter behind the virtual environment has the standard library and no more.
        return (getattr(sys, "_base_executable", binary) if runtime.startswith("python") else binary), script

    lambda_runtime._detect_runtime_binary = detect_runtime_binary


def functions_wait_for_a_process() -> None:
    """Ministack starts a process for every concurrent invocation; a laptop is smaller than Lambda: they take turns."""
    acquire = lambda_svc.acquire_worker

    def acquire_worker(*arguments: Any, **named: Any) -> tuple[Any, str]:
        seconds = 0.02
        while True:
            worker, reason = acquire(*arguments, **{**named, "max_concurrency": PROCESSES_PER_FUNCTION})
            if reason != "func_cap":
                return worker, reason
            # Of a thousand that wait, asking all the time takes the processor from those who work.
            time.sleep(seconds)
            seconds = min(2 * seconds, 0.5)

    lambda_svc.acquire_worker = acquire_worker


def errors_carry_their_class() -> None:
    """On AWS a raised exception's class is the `errorType`, by which a state machine retries; ministack drops it.

    https://docs.aws.amazon.com/lambda/latest/dg/python-exceptions.html
    """
    told = 'json.dumps({"status": "error", "error": str(e), '
    script = lambda_runtime._PYTHON_WORKER_SCRIPT
    if told not in script:
        raise RuntimeError("ministack's worker no longer tells errors in the way this gap knows")
    lambda_runtime._PYTHON_WORKER_SCRIPT = script.replace(told, told + '"type": type(e).__name__, ')
    raised: ContextVar[str | None] = ContextVar("raised", default=None)
    invoke, execute = lambda_runtime.Worker.invoke, lambda_svc._execute_function_warm

    def invoke_and_note(*arguments: Any, **named: Any) -> dict[str, Any]:
        answer: dict[str, Any] = invoke(*arguments, **named)
        raised.set(answer.get("type"))
        return answer

    def execute_function(*arguments: Any, **named: Any) -> dict[str, Any]:
        raised.set(None)
        answer: dict[str, Any] = execute(*arguments, **named)
        if answer.get("error") and raised.get():
            answer["body"]["errorType"] = raised.get()
        return answer

    lambda_runtime.Worker.invoke = invoke_and_note
    lambda_svc._execute_function_warm = execute_function


def throttled_tasks_say_so() -> None:
    """To Step Functions a function over the account's concurrency answers with an error of its own, by which a state
    machine retries; ministack calls it unknown.

    https://docs.aws.amazon.com/step-functions/latest/dg/sfn-best-practices.html#bp-lambda-serviceexception
    """
    call = stepfunctions._call_lambda

    def call_lambda(*arguments: Any, **named: Any) -> Any:
        try:
            return call(*arguments, **named)
        except stepfunctions._ExecutionError as error:
            if '"__type": "TooManyRequestsException"' not in error.cause:
                raise
            raise stepfunctions._ExecutionError("Lambda.TooManyRequestsException", error.cause) from error

    stepfunctions._call_lambda = call_lambda


def metric_math_alarms_are_accepted() -> None:
    """Ministack refuses an alarm on metric math; it is kept here as declared, and never evaluated."""
    record_of = provisioners._cw_metric_alarm_record

    def metric_alarm_record(name: str, properties: dict[str, Any]) -> dict[str, Any]:
        metrics = properties.get("Metrics")
        if not metrics:
            plain: dict[str, Any] = record_of(name, properties)
            return plain
        stand_in = {**properties, "Metrics": None, "MetricName": "-", "Namespace": "-"}
        record: dict[str, Any] = record_of(name, stand_in)
        return {**record, "Metrics": metrics, "MetricName": None, "Namespace": None}

    provisioners._cw_metric_alarm_record = metric_alarm_record


def state_machines_may_be_written_in_yaml() -> None:
    """CloudFormation takes a definition in YAML from S3; ministack stores it as it is, and then cannot run it."""
    definition_of = provisioners._sfn_definition

    def sfn_definition(properties: dict[str, Any]) -> str:
        # JSON is YAML too.
        return json.dumps(yaml.safe_load(definition_of(properties)))

    provisioners._sfn_definition = sfn_definition
