"""The services that moto does not have, as this account finds them: they find nothing by themselves."""

from collections.abc import Mapping

from faults.injector import Operation, Params, Reply


def services() -> Mapping[Operation, Reply]:
    return {
        ("comprehend", "ContainsPiiEntities"): lambda _: {"Labels": []},
        ("comprehend", "DetectPiiEntities"): lambda _: {"Entities": []},
        ("comprehend", "DetectToxicContent"): _not_toxic,
        ("bedrock-runtime", "InvokeGuardrailChecks"): lambda _: {
            "results": {"promptAttack": {"results": [{"category": "JAILBREAK", "severityScore": 0.0}]}}
        },
        ("bedrock", "ListModelCustomizationJobs"): lambda _: {"modelCustomizationJobSummaries": []},
        ("bedrock", "ListModelImportJobs"): lambda _: {"modelImportJobSummaries": []},
        ("bedrock", "ListModelCopyJobs"): lambda _: {"modelCopyJobSummaries": []},
        ("bedrock", "ListCustomModels"): lambda _: {"modelSummaries": []},
        ("bedrock", "ListImportedModels"): lambda _: {"modelSummaries": []},
        ("bedrock", "ListCustomModelDeployments"): lambda _: {"modelDeploymentSummaries": []},
        ("bedrock", "ListProvisionedModelThroughputs"): lambda _: {"provisionedModelSummaries": []},
    }


def _not_toxic(asked: Params) -> object:
    return {"ResultList": [{"Labels": [], "Toxicity": 0.0} for _ in asked["TextSegments"]]}
