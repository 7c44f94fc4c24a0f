"""Bedrock's jobs: customization, import and copy.

A member that AWS leaves out where nothing was chosen, such as the key or the VPC, is empty here.
"""

from tunegate.job_facts import Description, Vpc
from tunegate.observe.answers import Answer, ended_at, models_among, moment, present, state_of
from tunegate.subject import Subject


def customization_job(subject: Subject, answer: Answer) -> Description:
    """It rests on its base model where that is a customized one. A distillation's teacher is no part of the result."""
    training, status = answer.get("trainingDataConfig", {}), answer.get("status", "")
    logs = training.get("invocationLogsConfig", {}).get("invocationLogSource", {})
    validation = answer.get("validationDataConfig", {}).get("validators", [])
    grader = answer.get("customizationConfig", {}).get("rftConfig", {}).get("graderConfig", {}).get("lambdaGrader", {})
    return Description(
        subject,
        answer["jobName"],
        state_of(status),
        moment(answer["creationTime"]),
        ended_at(answer),
        role_arn=answer["roleArn"],
        inputs=present([training.get("s3Uri"), *(validator["s3Uri"] for validator in validation)]),
        output=answer.get("outputDataConfig", {}).get("s3Uri", ""),
        key_arn=answer.get("outputModelKmsKeyArn", ""),
        vpc=_vpc(answer.get("vpcConfig")),
        invocation_logs=logs.get("s3Uri", ""),
        grader=grader.get("lambdaArn", ""),
        makes=answer.get("outputModelArn", ""),
        rests_on=models_among([answer["baseModelArn"]]),
        status=status,
        failure=answer.get("failureMessage", ""),
    )


def import_job(subject: Subject, answer: Answer) -> Description:
    status = answer.get("status", "")
    return Description(
        subject,
        answer.get("jobName", subject.name),
        state_of(status),
        moment(answer.get("creationTime")),
        ended_at(answer),
        role_arn=answer.get("roleArn", ""),
        inputs=s3_source(answer.get("modelDataSource")),
        key_arn=answer.get("importedModelKmsKeyArn", ""),
        vpc=_vpc(answer.get("vpcConfig")),
        makes=answer.get("importedModelArn", ""),
        status=status,
        failure=answer.get("failureMessage", ""),
    )


def copy_job(subject: Subject, answer: Answer) -> Description:
    return Description(
        subject,
        answer.get("targetModelName", subject.name),
        state_of(answer["status"]),
        moment(answer["creationTime"]),
        key_arn=answer.get("targetModelKmsKeyArn", ""),
        makes=answer["targetModelArn"],
        rests_on=(answer["sourceModelArn"],),
        status=answer["status"],
        failure=answer.get("failureMessage", ""),
    )


def s3_source(source: Answer | None) -> tuple[str, ...]:
    return present([(source or {}).get("s3DataSource", {}).get("s3Uri")])


def _vpc(config: Answer | None) -> Vpc | None:
    return Vpc(tuple(config["subnetIds"]), tuple(config["securityGroupIds"])) if config else None
