"""Where ministack 1.5.33 differs from AWS in something the gate stands on, put right here and nowhere else.

Each function below this package closes one gap and says what AWS does; tests/contract/test_emulator_gaps.py holds each
closed. Drop one when ministack catches up.
"""

from tunegate_local.gaps import access, buckets, keys, layers, objects, runtime


def close() -> None:
    """Close every gap in the ministack imported into this process."""
    access.principal_arn_is_the_roles()
    access.loopback_counts_as_tls()
    access.writes_carry_their_condition_keys()
    access.tags_on_a_put_need_their_own_permission()
    keys.objects_are_read_and_written_with_their_key()
    buckets.buckets_are_configured_as_declared()
    objects.multipart_uploads_keep_their_tags_and_retention()
    objects.events_name_the_version()
    layers.layers_are_unpacked_once()
    runtime.functions_see_their_layers_only()
    runtime.functions_wait_for_a_process()
    runtime.errors_carry_their_class()
    runtime.metric_math_alarms_are_accepted()
    runtime.state_machines_may_be_written_in_yaml()
