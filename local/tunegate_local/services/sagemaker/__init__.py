"""Amazon SageMaker, as far as models trained there reach Bedrock: training jobs, model packages, and their events.

Nothing is trained: a job goes through the stages of one, in time, and says so. Whether its data was fit is asked where
its model is brought to Bedrock. https://docs.aws.amazon.com/sagemaker/latest/APIReference/
"""

from collections.abc import Callable, Mapping

from tunegate_local.services.sagemaker.account import Operation, Publish, Records
from tunegate_local.services.sagemaker.packages import Packages
from tunegate_local.services.sagemaker.training import Training


class SageMaker:
    """The service; `operations` by their names in the API."""

    def __init__(self, publish: Publish, stage_seconds: Callable[[], float]) -> None:
        records = Records(publish)
        training, packages = Training(records, stage_seconds), Packages(records, stage_seconds)
        served = {**training.operations, **packages.operations, **records.operations}
        self.operations: Mapping[str, Operation] = served
