"""What the guidance asks for, in our words: docs/requirements.md, for those who have only the command."""

REQUIREMENTS = {
    "R1": "Secure access to model invocation, training jobs, training and validation files",
    "R2": "Encryption of the training job, the custom model, the training and validation files",
    "R3": "Alerts on risks in training files, such as jailbreak prompts or sensitive information",
    "R4": "Exfiltration of training data",
    "R5": "Data poisoning: malicious prompts or malware put into training data",
    "R6": "Prompt injection and exfiltration at inference",
    "R7": (
        "Customization (fine-tuning with labelled data, continued pre-training with unlabelled data) in the "
        "account's own control"
    ),
    "R8": (
        "Custom Model Import, also of models customized elsewhere, for example in SageMaker: Safetensors only, "
        "never formats that can run code"
    ),
    "R9": "Use of a custom model, by provisioned throughput or on-demand deployment, only as intended",
    "R10": (
        "Customer managed KMS keys that the owner creates, owns and manages, for the customization job, its "
        "output files (training and validation metrics), the resulting model, and the buckets with training, "
        "validation and output data. Default encryption with keys of AWS is not enough"
    ),
    "R11": (
        "Key policies are the primary access control of each key; a custom model under a customer managed key is "
        "usable only by the roles the key policy names"
    ),
    "R12": (
        "A custom service role for customization and one for import, least privilege, with a trust relationship "
        "that lets Bedrock assume it for these jobs"
    ),
    "R13": (
        "The role reaches only the buckets with training and validation data and the output bucket; for import, "
        "the bucket with the model files"
    ),
    "R14": "Where the job runs in a VPC, the role has the VPC permissions it needs, and no more",
    "R15": "Jobs run in a VPC without internet access, over private connections",
    "R16": (
        "An S3 gateway endpoint for the buckets used; default DNS for the endpoint's route table, so that "
        "standard S3 URLs resolve"
    ),
    "R17": (
        "Input and output buckets: customer managed key, access logged and monitored, versioning for backup, "
        "resource policies that control access tightly"
    ),
    "R18": "Macie identifies sensitive data in training and validation datasets",
    "R19": "Comprehend identifies sensitive text in them",
    "R20": (
        "EventBridge reacts automatically, in near real time, to state changes of customization jobs: Bedrock's, "
        "and SageMaker's where models are made there"
    ),
    "R21": (
        "CloudWatch and CloudTrail: metrics, alarms, logs and API history of all of it; logging and monitoring of"
        " model invocations"
    ),
    "R22": "OpenSearch Serverless: what was found is searchable",
    "R23": "Input and output validation at inference",
    "R24": (
        "EventBridge rules on Bedrock job state changes and S3 uploads trigger Lambda functions that scan, "
        "quarantine flagged files, verify encryption and raise alerts through SNS; on-call receives them"
    ),
    "R25": "Deployed by `sam deploy`",
}
THREATS = frozenset({"R4", "R5", "R6"})
"""These name what goes wrong; the others say what to have."""


def asked_by(requirement: str) -> str:
    """A requirement as a line: its id, and what it asks or what it guards against."""
    against = "Against: " if requirement in THREATS else ""
    return f"{requirement}  {against}{REQUIREMENTS[requirement]}"
