"""Bedrock's models made by customers, and the means to invoke them."""

from tunegate.job_facts import Description, State
from tunegate.observe.answers import Answer, models_among, moment, present, state_of
from tunegate.observe.bedrock_jobs import s3_source
from tunegate.subject import Subject


def custom_model(subject: Subject, answer: Answer) -> Description:
    """It rests on the job that made it, and on its base model where that is a customized one.

    Without a job Bedrock does not say what it was made of, and the base alone would stand for nothing.
    """
    # Of a model from before there were statuses nothing is said: it is there, and can be invoked.
    status, job = answer.get("modelStatus", "Active"), answer.get("jobArn")
    return Description(
        subject,
        answer["modelName"],
        state_of(status),
        moment(answer["creationTime"]),
        key_arn=answer.get("modelKmsKeyArn", ""),
        rests_on=(job, *models_among([answer.get("baseModelArn")])) if job else (),
        status=status,
        failure=answer.get("failureMessage", ""),
    )


def imported_model(subject: Subject, answer: Answer) -> Description:
    return Description(
        subject,
        answer.get("modelName", subject.name),
        State.DONE,
        moment(answer.get("creationTime")),
        inputs=s3_source(answer.get("modelDataSource")),
        key_arn=answer.get("modelKmsKeyArn", ""),
        rests_on=present([answer.get("jobArn")]),
        status="Active",
    )


def throughput(subject: Subject, answer: Answer) -> Description:
    """It rests on the model it serves and, while that is being changed, on the one it will serve."""
    return Description(
        subject,
        answer["provisionedModelName"],
        state_of(answer["status"]),
        moment(answer["creationTime"]),
        rests_on=models_among([answer["modelArn"], answer["desiredModelArn"]]),
        status=answer["status"],
        failure=answer.get("failureMessage", ""),
    )


def deployment(subject: Subject, answer: Answer) -> Description:
    """The same; every deployment is of a custom model."""
    return Description(
        subject,
        answer["modelDeploymentName"],
        state_of(answer["status"]),
        moment(answer["createdAt"]),
        rests_on=present([answer["modelArn"], answer.get("updateDetails", {}).get("modelArn")]),
        status=answer["status"],
        failure=answer.get("failureMessage", ""),
    )
