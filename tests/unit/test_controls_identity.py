"""Identity: the service roles AWS documents pass, and each way of giving one too much or too many masters is found."""

from dataclasses import replace

import pytest

from tunegate.job_facts import JobFacts, RoleFacts
from tunegate.job_rules import JobRules
from tunegate.judge.jobs import judge_job
from tunegate.subject import Kind
from unit.job_world import Break, assert_breaks_only, compliant, described, granting, having, trusting
from unit.policy_world import (
    ACCOUNT,
    APPROVED,
    BEDROCK,
    DATA_KEY,
    OTHER_KEY,
    OUTPUT,
    REGION,
    ROLE,
    SUBNET,
    both,
    document,
    permission_statements,
    trust_statement,
)

EC2 = f"arn:aws:ec2:{REGION}:{ACCOUNT}"
READ = ["s3:GetObject", "s3:ListBucket"]
CUSTOMIZATIONS = f"{BEDROCK}:model-customization-job/*"
EVERY_KEY = f"arn:aws:kms:{REGION}:{ACCOUNT}:key/*"
GRADER = f"arn:aws:lambda:{REGION}:{ACCOUNT}:function:grader"


def conditions(account: str = ACCOUNT, source: str | list[str] = CUSTOMIZATIONS) -> dict[str, object]:
    return {"StringEquals": {"aws:SourceAccount": account}, "ArnLike": {"aws:SourceArn": source}}


def without_boundary(facts: JobFacts) -> JobFacts:
    if not isinstance(facts.role, RoleFacts):
        return facts
    return replace(facts, role=replace(facts.role, boundary=""))


BREAKS = (
    Break(
        "identity.trust_bedrock_only", trusting(Principal={"Service": "bedrock.amazonaws.com", "AWS": ACCOUNT}), ROLE
    ),
    Break("identity.trust_bedrock_only", trusting(Principal={"Federated": "cognito-identity.amazonaws.com"}), ROLE),
    Break("identity.trust_bedrock_only", trusting(Principal={"AWS": "*"}), ROLE, "checkov:CKV_AWS_60"),
    Break("identity.trust_bedrock_only", having(role=None), ROLE, "NoSuchEntity"),
    Break(
        "identity.not_shared",
        trusting(Principal={"Service": ["bedrock.amazonaws.com", "lambda.amazonaws.com"]}),
        "lambda.amazonaws.com",
    ),
    Break("identity.not_shared", trusting(Principal={"Service": "sagemaker.amazonaws.com"}), "sagemaker.amazonaws.com"),
    Break(
        "identity.trust_conditions",
        trusting(Condition={}),
        ROLE,
        "prowler:iam_role_cross_service_confused_deputy_prevention",
    ),
    Break("identity.trust_conditions", trusting(Condition=conditions(account="444455556666")), "aws:SourceAccount"),
    Break("identity.trust_conditions", trusting(Condition=conditions(account="*")), "aws:SourceAccount"),
    Break("identity.trust_conditions", trusting(Condition=conditions(source=f"{BEDROCK}:*")), "aws:SourceArn"),
    Break(
        "identity.trust_conditions",
        trusting(Condition=conditions(source=[CUSTOMIZATIONS, f"{BEDROCK}:evaluation-job/*"])),
        "aws:SourceArn",
    ),
    Break(
        "identity.trust_conditions",
        trusting(
            Condition={
                "StringEqualsIfExists": {"aws:SourceAccount": ACCOUNT},
                "ArnLike": {"aws:SourceArn": CUSTOMIZATIONS},
            }
        ),
        "aws:SourceAccount",
    ),
    Break(
        "identity.trust_conditions",
        trusting(Condition=conditions()),
        "aws:SourceArn",
        kind=Kind.IMPORT_JOB,
    ),
    Break(
        "identity.no_wildcards",
        granting({"Sid": "Admin", "Action": "*", "Resource": "*"}),
        "Admin",
        "config:iam-policy-no-statements-with-admin-access",
    ),
    Break(
        "identity.no_wildcards",
        granting({"Sid": "S3", "Action": "s3:*", "Resource": both(APPROVED)}),
        "S3",
        "config:iam-policy-no-statements-with-full-access",
    ),
    Break(
        "identity.no_wildcards",
        granting({"Action": "kms:Decrypt", "Resource": "*"}),
        "every resource",
        "config:iam-customer-policy-blocked-kms-actions",
    ),
    Break("identity.no_wildcards", granting({"NotAction": "iam:*", "Resource": "*"}), "a statement without Sid"),
    Break("identity.no_wildcards", granting({"Sid": "N", "Action": READ, "NotResource": "arn:aws:s3:::x/*"}), "N"),
    Break(
        "identity.no_wildcards", granting({"Action": "ec2:DeleteNetworkInterface", "Resource": "*"}), "every resource"
    ),
    Break(
        "identity.no_wildcards",
        granting(
            {
                "Sid": "E",
                "Action": ["ec2:DeleteNetworkInterface"],
                "Resource": "*",
                "Condition": {"ArnEquals": {"ec2:Subnet": f"{EC2}:subnet/{SUBNET}"}},
            }
        ),
        "E allows its actions on every resource",
    ),
    Break("identity.needed_actions", granting({"Action": "s3:DeleteObject", "Resource": both(OUTPUT)}), "DeleteObject"),
    Break(
        "identity.needed_actions",
        granting({"Action": "iam:PassRole", "Resource": ROLE}),
        "iam:PassRole",
        "prowler:iam_policy_allows_privilege_escalation",
    ),
    Break(
        "identity.needed_actions",
        granting({"Action": "s3:PutObject", "Resource": both(APPROVED)}),
        "s3:PutObject",
        kind=Kind.IMPORT_JOB,
    ),
    Break("identity.needed_actions", granting({"Action": "lambda:InvokeFunction", "Resource": GRADER}), "lambda:"),
    Break("identity.buckets_in_reach", granting({"Action": READ, "Resource": both("payroll")}), "arn:aws:s3:::payroll"),
    Break("identity.buckets_in_reach", granting({"Action": READ, "Resource": "arn:aws:s3:::*"}), "arn:aws:s3:::*"),
    Break("identity.buckets_in_reach", granting({"Action": READ, "Resource": f"arn:aws:s3:::{APPROVED}*"}), ROLE),
    Break("identity.buckets_in_reach", granting({"Action": READ, "Resource": "arn:*:s3:::payroll/*"}), "payroll"),
    Break(
        "identity.buckets_in_reach", granting({"Action": READ, "Resource": both(OUTPUT)}), OUTPUT, kind=Kind.IMPORT_JOB
    ),
    Break("identity.keys_in_reach", granting({"Action": "kms:Decrypt", "Resource": OTHER_KEY}), OTHER_KEY),
    Break(
        "identity.keys_in_reach",
        granting({"Action": "kms:Decrypt", "Resource": EVERY_KEY}),
        "key/*",
    ),
    Break(
        "identity.network_in_reach",
        granting({"Action": "ec2:CreateNetworkInterface", "Resource": f"{EC2}:subnet/*"}),
        "subnet/*",
    ),
    Break(
        "identity.network_in_reach",
        granting({"Action": "ec2:CreateNetworkInterface", "Resource": f"{EC2}:security-group/sg-0bb"}),
        "sg-0bb",
    ),
    Break("identity.network_in_reach", granting({"Action": "ec2:CreateNetworkInterface", "Resource": f"{EC2}:*"}), EC2),
    Break(
        "identity.network_in_reach",
        granting(
            {
                "Action": "ec2:DeleteNetworkInterface",
                "Resource": "*",
                "Condition": {
                    "ArnEquals": {"ec2:Subnet": f"{EC2}:subnet/subnet-0bb"},
                    "StringEquals": {"ec2:ResourceTag/BedrockManaged": "true"},
                },
            }
        ),
        "subnet-0bb",
    ),
    Break("identity.boundary", without_boundary, ROLE),
)


@pytest.mark.parametrize("case", BREAKS, ids=str)
def test_one_change_breaks_one_control(case: Break) -> None:
    assert_breaks_only(case.control, case.names, judge_job(case.facts))


@pytest.mark.parametrize("kind", [Kind.CUSTOMIZATION_JOB, Kind.IMPORT_JOB])
def test_the_role_of_the_bedrock_user_guide_passes(kind: Kind) -> None:
    """Trust, S3, KMS and VPC statements of "Model customization access and security" and "… model import"."""
    conclusion = judge_job(compliant(kind))
    assert {name for name in conclusion.passed if name.startswith("identity.")} == {
        f"identity.{rule}"
        for rule in (
            "trust_bedrock_only", "not_shared", "trust_conditions", "no_wildcards", "needed_actions",
            "buckets_in_reach", "keys_in_reach", "network_in_reach", "boundary",
        )
    }  # fmt: skip


def test_the_same_role_passes_as_one_statement_for_files_and_keys() -> None:
    mixed = {"Action": [*READ, "kms:Decrypt"], "Resource": [*both(APPROVED), DATA_KEY]}
    assert judge_job(granting(mixed)(compliant(Kind.CUSTOMIZATION_JOB))).breaches == ()


def test_s3_by_prefix_and_held_to_the_account_passes() -> None:
    """Bedrock user guide, "Create a service role for model import": `aws:ResourceAccount`; a folder instead of all."""
    narrower = {
        "Action": READ, "Resource": [f"arn:aws:s3:::{APPROVED}/team-a/*"],
        "Condition": {"StringEquals": {"aws:ResourceAccount": ACCOUNT}},
    }  # fmt: skip
    assert judge_job(granting(narrower)(compliant(Kind.IMPORT_JOB))).breaches == ()


def test_a_denial_asks_for_nothing() -> None:
    facts = compliant(Kind.CUSTOMIZATION_JOB)
    assert isinstance(facts.role, RoleFacts)
    deny = {"Effect": "Deny", "NotAction": "s3:*", "NotResource": both(APPROVED)}
    role = replace(facts.role, permissions=document(*permission_statements(), deny))
    assert judge_job(replace(facts, role=role)).breaches == ()


def test_a_denial_does_not_excuse_an_allow() -> None:
    facts = granting({"Action": "iam:PassRole", "Resource": ROLE})(compliant(Kind.CUSTOMIZATION_JOB))
    assert isinstance(facts.role, RoleFacts)
    deny = document({"Effect": "Deny", "Action": "*", "Resource": "*"})
    role = replace(facts.role, permissions=(*(facts.role.permissions or ()), *deny))  # type: ignore[misc]
    assert judge_job(replace(facts, role=role)).breaches


def test_the_partition_of_a_bucket_does_not_matter() -> None:
    gov = {"Action": READ, "Resource": f"arn:aws-us-gov:s3:::{APPROVED}/*"}
    assert judge_job(granting(gov)(compliant(Kind.CUSTOMIZATION_JOB))).breaches == ()


def test_a_job_with_a_grader_may_invoke_it() -> None:
    facts = described(grader=GRADER)(compliant(Kind.CUSTOMIZATION_JOB))
    facts = replace(facts, rules=JobRules(allowed_grader_arns=frozenset({GRADER})))
    invoke = granting({"Action": "lambda:InvokeFunction", "Resource": GRADER})
    assert judge_job(invoke(facts)).breaches == ()


def test_no_boundary_is_asked_for_where_none_was_deployed() -> None:
    facts = without_boundary(compliant(Kind.CUSTOMIZATION_JOB))
    assert judge_job(replace(facts, expected=replace(facts.expected, boundary=""))).breaches == ()


def test_keys_the_policy_allows_are_in_reach() -> None:
    facts = granting({"Action": "kms:Decrypt", "Resource": OTHER_KEY})(compliant(Kind.CUSTOMIZATION_JOB))
    rules = JobRules(allowed_model_key_arns=frozenset({OTHER_KEY}))
    assert judge_job(replace(facts, rules=rules)).breaches == ()


def test_names_are_compared_as_iam_does_without_regard_to_case() -> None:
    loud = trust_statement() | {
        "Condition": {
            "stringequals": {"AWS:SourceAccount": ACCOUNT},
            "ARNLIKE": {"aws:sourcearn": CUSTOMIZATIONS},
        }
    }
    facts = compliant(Kind.CUSTOMIZATION_JOB)
    assert isinstance(facts.role, RoleFacts)
    assert judge_job(replace(facts, role=replace(facts.role, trust=document(loud)))).breaches == ()
    shouting = granting({"Action": "S3:getobject", "Resource": f"arn:aws:s3:::{APPROVED}/*"})
    assert judge_job(shouting(facts)).breaches == ()
