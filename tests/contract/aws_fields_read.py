"""The fields of AWS's answers that the library reads, by operation: `[]` steps into a list's or a map's members."""

from tunegate.observe.routes import TARGETS

RESPONSES = {
    ("s3", "HeadObject"): [
        "ContentLength", "LastModified", "ServerSideEncryption", "SSEKMSKeyId", "ChecksumType", "ChecksumCRC64NVME",
        "ChecksumSHA256", "ChecksumCRC32C", "ChecksumCRC32", "ChecksumSHA1", "ContentType", "ContentEncoding",
        "ContentLanguage", "ContentDisposition", "CacheControl", "Metadata",
    ],
    ("s3", "GetObject"): ["Body"],
    ("s3", "ListObjectVersions"): [
        "Versions.[].Key", "Versions.[].VersionId", "Versions.[].IsLatest", "Versions.[].LastModified",
        "Versions.[].ETag", "DeleteMarkers.[].Key", "DeleteMarkers.[].VersionId", "DeleteMarkers.[].IsLatest",
        "DeleteMarkers.[].LastModified",
    ],
    ("s3", "ListObjectsV2"): ["Contents.[].Key"],
    ("s3", "GetBucketEncryption"): [
        "ServerSideEncryptionConfiguration.Rules.[].ApplyServerSideEncryptionByDefault.SSEAlgorithm",
        "ServerSideEncryptionConfiguration.Rules.[].ApplyServerSideEncryptionByDefault.KMSMasterKeyID",
    ],
    ("s3", "GetBucketVersioning"): ["Status"],
    ("s3", "GetPublicAccessBlock"): [
        "PublicAccessBlockConfiguration.BlockPublicAcls", "PublicAccessBlockConfiguration.IgnorePublicAcls",
        "PublicAccessBlockConfiguration.BlockPublicPolicy", "PublicAccessBlockConfiguration.RestrictPublicBuckets",
    ],
    ("s3", "GetBucketPolicy"): ["Policy"],
    ("s3", "GetBucketLifecycleConfiguration"): [
        "Rules.[].ID", "Rules.[].Status", "Rules.[].Expiration.Days", "Rules.[].Expiration.Date",
    ],
    ("sns", "GetTopicAttributes"): ["Attributes"],
    ("sns", "ListSubscriptionsByTopic"): ["Subscriptions.[].SubscriptionArn"],
    ("lambda", "ListEventSourceMappings"): ["EventSourceMappings.[].State"],
    ("s3", "GetBucketLogging"): ["LoggingEnabled.TargetBucket"],
    ("s3", "GetBucketNotificationConfiguration"): ["EventBridgeConfiguration"],
    ("s3", "GetObjectLockConfiguration"): [
        "ObjectLockConfiguration.ObjectLockEnabled", "ObjectLockConfiguration.Rule.DefaultRetention",
    ],
    ("s3", "GetObjectTagging"): ["TagSet.[].Key", "TagSet.[].Value"],
    ("dynamodb", "GetItem"): ["Item"],
    ("dynamodb", "Query"): ["Items.[]"],
    ("dynamodb", "BatchGetItem"): ["Responses.[].[]", "UnprocessedKeys"],
    ("dynamodb", "BatchWriteItem"): ["UnprocessedItems"],
    ("stepfunctions", "DescribeExecution"): ["status", "input", "startDate"],
    ("s3", "ListMultipartUploads"): [
        "Uploads.[].Key", "Uploads.[].Initiated", "IsTruncated", "EncodingType", "NextKeyMarker", "NextUploadIdMarker",
    ],
    ("stepfunctions", "ListExecutions"): ["executions.[].executionArn"],
    ("cloudwatch", "DescribeAlarms"): [
        "MetricAlarms.[].Namespace", "MetricAlarms.[].MetricName", "MetricAlarms.[].Dimensions.[].Value",
        "MetricAlarms.[].AlarmActions.[]", "MetricAlarms.[].AlarmName", "MetricAlarms.[].AlarmDescription",
        "MetricAlarms.[].StateValue",
    ],
    ("sqs", "GetQueueUrl"): ["QueueUrl"],
    ("sqs", "GetQueueAttributes"): ["Attributes"],
    ("sqs", "ListDeadLetterSourceQueues"): ["queueUrls"],
    ("sqs", "ListMessageMoveTasks"): [
        "Results.[].Status", "Results.[].FailureReason", "Results.[].ApproximateNumberOfMessagesMoved",
    ],
    ("sqs", "ReceiveMessage"): [
        "Messages.[].MessageId", "Messages.[].ReceiptHandle", "Messages.[].Body", "Messages.[].Attributes",
        "Messages.[].MessageAttributes.[].StringValue",
    ],
    ("lambda", "Invoke"): ["FunctionError"],
    ("macie2", "CreateClassificationJob"): ["jobId"],
    ("macie2", "DescribeClassificationJob"): ["jobStatus", "lastRunErrorStatus.code"],
    ("macie2", "GetClassificationExportConfiguration"): [
        "configuration.s3Destination.bucketName", "configuration.s3Destination.keyPrefix",
    ],
    ("bedrock", "GetModelCustomizationJob"): [
        "jobName", "roleArn", "status", "creationTime", "endTime", "lastModifiedTime", "outputModelArn",
        "baseModelArn", "outputModelKmsKeyArn", "failureMessage", "trainingDataConfig.s3Uri",
        "trainingDataConfig.invocationLogsConfig.invocationLogSource.s3Uri",
        "validationDataConfig.validators.[].s3Uri", "outputDataConfig.s3Uri", "vpcConfig.subnetIds",
        "vpcConfig.securityGroupIds", "customizationConfig.rftConfig.graderConfig.lambdaGrader.lambdaArn",
    ],
    ("bedrock", "GetModelImportJob"): [
        "jobName", "roleArn", "status", "creationTime", "endTime", "lastModifiedTime", "importedModelArn",
        "importedModelKmsKeyArn", "failureMessage", "modelDataSource.s3DataSource.s3Uri", "vpcConfig.subnetIds",
        "vpcConfig.securityGroupIds",
    ],
    ("bedrock", "GetModelCopyJob"): [
        "targetModelName", "status", "creationTime", "targetModelKmsKeyArn", "targetModelArn", "sourceModelArn",
        "failureMessage",
    ],
    ("bedrock", "GetCustomModel"): [
        "modelName", "modelStatus", "creationTime", "modelKmsKeyArn", "jobArn", "baseModelArn", "failureMessage",
    ],
    ("bedrock", "GetImportedModel"): [
        "modelName", "creationTime", "modelKmsKeyArn", "jobArn", "modelDataSource.s3DataSource.s3Uri",
    ],
    ("bedrock", "GetProvisionedModelThroughput"): [
        "provisionedModelName", "status", "creationTime", "modelArn", "desiredModelArn", "failureMessage",
    ],
    ("bedrock", "GetCustomModelDeployment"): [
        "modelDeploymentName", "status", "createdAt", "modelArn", "updateDetails.modelArn", "failureMessage",
    ],
    ("bedrock", "ListTagsForResource"): ["tags.[].key", "tags.[].value"],
    ("bedrock", "GetModelInvocationLoggingConfiguration"): [
        "loggingConfig.cloudWatchConfig.logGroupName", "loggingConfig.s3Config.bucketName",
        "loggingConfig.cloudWatchConfig.largeDataDeliveryS3Config.bucketName",
    ],
    ("bedrock", "CreateModelCustomizationJob"): ["jobArn"],
    ("bedrock", "CreateModelImportJob"): ["jobArn"],
    ("sagemaker", "DescribeTrainingJob"): [
        "TrainingJobName", "TrainingJobStatus", "CreationTime", "TrainingEndTime", "RoleArn", "FailureReason",
        "OutputDataConfig.S3OutputPath", "OutputDataConfig.KmsKeyId", "VpcConfig.Subnets",
        "VpcConfig.SecurityGroupIds", "InputDataConfig.[].ChannelName",
        "InputDataConfig.[].DataSource.S3DataSource.S3Uri", "InputDataConfig.[].DataSource.S3DataSource.S3DataType",
        "InputDataConfig.[].DataSource.FileSystemDataSource.FileSystemId",
    ],
    ("sagemaker", "DescribeModelPackage"): [
        "ModelPackageName", "ModelPackageStatus", "CreationTime",
        "InferenceSpecification.Containers.[].ModelDataUrl",
        "InferenceSpecification.Containers.[].ModelDataSource.S3DataSource.S3Uri",
        "SourceAlgorithmSpecification.SourceAlgorithms.[].ModelDataUrl",
        "SourceAlgorithmSpecification.SourceAlgorithms.[].ModelDataSource.S3DataSource.S3Uri",
    ],
    ("kms", "DescribeKey"): ["KeyMetadata.Arn", "KeyMetadata.KeyManager", "KeyMetadata.KeyState"],
    ("kms", "GetKeyRotationStatus"): ["KeyRotationEnabled", "RotationPeriodInDays"],
    ("dynamodb", "GetResourcePolicy"): ["Policy"],
    ("kms", "GetKeyPolicy"): ["Policy"],
    ("iam", "GetRole"): [
        "Role.Arn", "Role.RoleName", "Role.AssumeRolePolicyDocument",
        "Role.PermissionsBoundary.PermissionsBoundaryArn",
    ],
    ("iam", "ListRolePolicies"): ["PolicyNames.[]"],
    ("iam", "GetRolePolicy"): ["PolicyDocument"],
    ("iam", "ListAttachedRolePolicies"): ["AttachedPolicies.[].PolicyArn"],
    ("iam", "GetPolicy"): ["Policy.DefaultVersionId"],
    ("iam", "GetPolicyVersion"): ["PolicyVersion.Document"],
    ("ec2", "DescribeSubnets"): ["Subnets.[].SubnetId", "Subnets.[].VpcId"],
    ("ec2", "DescribeRouteTables"): [
        "RouteTables.[].RouteTableId", "RouteTables.[].VpcId", "RouteTables.[].Associations.[].SubnetId",
        "RouteTables.[].Associations.[].Main", "RouteTables.[].Routes.[].DestinationPrefixListId",
        *(f"RouteTables.[].Routes.[].{target}" for target in TARGETS),
    ],
    ("ec2", "DescribeVpcEndpoints"): [
        "VpcEndpoints.[].VpcEndpointId", "VpcEndpoints.[].VpcEndpointType", "VpcEndpoints.[].ServiceName",
        "VpcEndpoints.[].State", "VpcEndpoints.[].RouteTableIds", "VpcEndpoints.[].PolicyDocument",
    ],
    ("ec2", "DescribeVpcAttribute"): ["EnableDnsSupport.Value"],
    ("ec2", "DescribeFlowLogs"): [
        "FlowLogs.[].FlowLogStatus", "FlowLogs.[].TrafficType", "FlowLogs.[].DeliverLogsStatus",
    ],
    ("events", "DescribeRule"): ["State"],
    ("events", "ListTargetsByRule"): ["Targets"],
    ("cloudtrail", "DescribeTrails"): ["trailList.[].TrailARN"],
    ("cloudtrail", "GetTrailStatus"): ["IsLogging"],
    ("cloudtrail", "GetEventSelectors"): [
        "EventSelectors.[].ReadWriteType", "EventSelectors.[].IncludeManagementEvents",
        "EventSelectors.[].DataResources.[].Type", "EventSelectors.[].DataResources.[].Values",
        "AdvancedEventSelectors.[].FieldSelectors.[].Field", "AdvancedEventSelectors.[].FieldSelectors.[].Equals",
        "AdvancedEventSelectors.[].FieldSelectors.[].NotEquals",
        "AdvancedEventSelectors.[].FieldSelectors.[].StartsWith",
    ],
    ("logs", "DescribeLogGroups"): ["logGroups.[].logGroupName", "logGroups.[].kmsKeyId"],
    ("macie2", "GetMacieSession"): ["status"],
    ("comprehend", "ContainsPiiEntities"): ["Labels"],
    ("comprehend", "DetectPiiEntities"): [
        "Entities.[].Type", "Entities.[].Score", "Entities.[].BeginOffset", "Entities.[].EndOffset",
    ],
    ("comprehend", "DetectToxicContent"): ["ResultList.[].Labels.[].Name", "ResultList.[].Labels.[].Score"],
    ("comprehend", "ClassifyDocument"): ["Classes.[].Name", "Classes.[].Score"],
    ("bedrock-runtime", "InvokeGuardrailChecks"): [
        "results.promptAttack.results.[].category", "results.promptAttack.results.[].severityScore",
        "results.sensitiveInformation.results.[].type", "results.sensitiveInformation.results.[].confidenceScore",
        "results.sensitiveInformation.results.[].beginOffset", "results.sensitiveInformation.results.[].endOffset",
        "results.sensitiveInformation.results.[].messageIndex",
    ],
    ("bedrock-runtime", "ApplyGuardrail"): [
        "assessments.[].contentPolicy.filters.[].type", "assessments.[].contentPolicy.filters.[].confidence",
        "assessments.[].contentPolicy.filters.[].action", "assessments.[].contentPolicy.filters.[].detected",
        "assessments.[].sensitiveInformationPolicy.piiEntities.[].type",
    ],
}  # fmt: skip
# Operations whose answer is not read.
UNREAD = {
    ("s3", "DeleteObject"), ("s3", "PutObject"), ("s3", "PutObjectTagging"), ("dynamodb", "PutItem"),
    ("dynamodb", "UpdateItem"), ("sns", "Publish"), ("sqs", "SendMessage"), ("stepfunctions", "StartExecution"),
    ("stepfunctions", "SendTaskSuccess"), ("lambda", "Invoke"), ("sqs", "DeleteMessage"),
    ("sqs", "StartMessageMoveTask"), ("macie2", "PutClassificationExportConfiguration"),
    ("bedrock", "DeleteCustomModelDeployment"), ("bedrock", "DeleteImportedModel"),
    ("bedrock", "DeleteProvisionedModelThroughput"), ("bedrock", "StopModelCustomizationJob"),
    ("bedrock", "TagResource"), ("bedrock", "PutModelInvocationLoggingConfiguration"),
    ("bedrock", "DeleteModelInvocationLoggingConfiguration"),
}  # fmt: skip
