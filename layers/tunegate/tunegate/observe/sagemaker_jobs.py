"""SageMaker's training jobs and model packages: models trained there reach Bedrock by import."""

from collections.abc import Iterator

from tunegate.job_facts import Description, Vpc
from tunegate.observe.answers import Answer, moment, present, state_of
from tunegate.subject import Subject


def training_job(subject: Subject, answer: Answer) -> Description:
    output, network = answer.get("OutputDataConfig", {}), answer.get("VpcConfig")
    return Description(
        subject,
        answer["TrainingJobName"],
        state_of(answer["TrainingJobStatus"]),
        moment(answer["CreationTime"]),
        moment(answer.get("TrainingEndTime")),
        role_arn=answer.get("RoleArn", ""),
        inputs=present(source for channel in answer.get("InputDataConfig", []) for source in _sources(channel)),
        output=output.get("S3OutputPath", ""),
        key_arn=output.get("KmsKeyId", ""),
        vpc=Vpc(tuple(network["Subnets"]), tuple(network["SecurityGroupIds"])) if network else None,
        status=answer["TrainingJobStatus"],
        failure=answer.get("FailureReason", ""),
    )


def model_package(subject: Subject, answer: Answer) -> Description:
    """What it was trained by is no more than its maker's word (MetadataProperties), so it rests on nothing."""
    containers = answer.get("InferenceSpecification", {}).get("Containers", [])
    algorithms = answer.get("SourceAlgorithmSpecification", {}).get("SourceAlgorithms", [])
    return Description(
        subject,
        answer.get("ModelPackageName", subject.name),
        state_of(answer["ModelPackageStatus"]),
        moment(answer["CreationTime"]),
        inputs=present(data for part in (*containers, *algorithms) for data in _model_data(part)),
        status=answer["ModelPackageStatus"],
    )


def _sources(channel: Answer) -> Iterator[str]:
    """Where a channel reads. What is not a prefix in S3 is told in words, which name no approved bucket."""
    source = channel["DataSource"]
    if "S3DataSource" not in source:
        file_system = source.get("FileSystemDataSource", {})
        yield f"the channel {channel['ChannelName']} ({file_system.get('FileSystemId', 'not in S3')})"
        return
    uri = source["S3DataSource"]["S3Uri"]
    yield uri
    if source["S3DataSource"]["S3DataType"] != "S3Prefix":
        # A manifest names the objects that are read, in any bucket.
        yield f"the objects that {uri} names"


def _model_data(part: Answer) -> Iterator[str | None]:
    yield part.get("ModelDataUrl")
    yield part.get("ModelDataSource", {}).get("S3DataSource", {}).get("S3Uri")
