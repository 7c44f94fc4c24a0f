"""Where ministack 1.5.33 differs from AWS in something the gate stands on, put right here and nowhere else.

Each function below this package closes one gap and says what AWS does; tests/contract/test_emulator_gaps.py and
tests/contract/ground hold each closed. Drop one when ministack catches up.
"""

from tunegate_local.gaps import (
    access,
    buckets,
    functions,
    grants,
    ground,
    keys,
    layers,
    leading_keys,
    managed_keys,
    network,
    objects,
    queues,
    resources,
    runtime,
    steps,
    tables,
)


def close() -> None:
    """Close every gap in the ministack imported into this process."""
    access.principal_arn_is_the_roles()
    access.requests_say_whether_a_service_makes_them()
    access.loopback_counts_as_tls()
    access.writes_carry_their_condition_keys()
    access.tags_on_a_put_need_their_own_permission()
    resources.calls_are_about_the_resources_aws_asks_of()
    grants.keys_are_asked_about_with_their_context()
    grants.grants_allow()
    managed_keys.aws_has_keys_of_its_own()
    keys.objects_are_read_and_written_with_their_key()
    buckets.buckets_are_configured_as_declared()
    functions.changes_of_mappings_need_leave()
    objects.multipart_uploads_keep_their_tags_and_retention()
    objects.events_name_the_version()
    objects.versions_are_read_by_range()
    network.endpoints_are_described_in_full()
    network.gateway_endpoints_are_routes()
    network.security_group_rules_are_resources()
    ground.trails_are_resources()
    ground.flow_logs_are_resources()
    layers.layers_are_unpacked_once()
    leading_keys.requests_say_their_leading_keys()
    runtime.functions_see_their_layers_only()
    runtime.functions_wait_for_a_process()
    runtime.errors_carry_their_class()
    runtime.throttled_tasks_say_so()
    runtime.metric_math_alarms_are_accepted()
    runtime.state_machines_may_be_written_in_yaml()
    queues.dead_letters_are_moved_back()
    steps.waiting_tasks_fail_with_their_function_and_in_time()
    tables.tables_have_policies()
