"""The scan of a model upload: all its files examined and judged together."""

from typing import Any

from aws_lambda_powertools.utilities.typing import LambdaContext

from tunegate.evidence import Evidence
from tunegate.handler import about, clients, count, guarded, logger, setting
from tunegate.model_scan import scan_upload
from tunegate.observe.model_uploads import model_uploads
from tunegate.observe.policies import current_policy
from tunegate.steps import Judgement, ModelScanned, ModelScanTask


@guarded
def handler(event: dict[str, Any], context: LambdaContext) -> Any:
    """`event`: a `ModelScanTask`. Returns a `ModelScanned`."""
    task = ModelScanTask.model_validate(event)
    subject = task.object.version()
    about(subject)
    policy = current_policy(clients("s3"), setting("POLICY_BUCKET"))
    upload = next(model_uploads(clients("s3"), subject.bucket, policy.models, subject.key), None)
    if upload is None or upload.subject != subject:
        # A file was added meanwhile: gather_models starts the scan of what is there now.
        logger.info("Upload changed")
        return ModelScanned(changed=True).model_dump(mode="json")
    decision, read = scan_upload(clients("s3"), upload, policy, setting("DATA_KEY_ARN"), task)
    evidence = Evidence(clients("s3"), setting("EVIDENCE_BUCKET")).put_findings(task.scan_id, decision)
    count("ModelBytesRead", read)
    logger.info("Judged", verdict=decision.verdict, findings=len(decision.findings), files=len(upload.files), read=read)
    return ModelScanned(changed=False, judgement=Judgement.of(decision, evidence)).model_dump(mode="json")
