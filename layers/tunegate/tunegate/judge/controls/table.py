"""The table of all controls, in the order they are told."""

from tunegate.estate_facts import EstateFacts
from tunegate.job_facts import JobFacts
from tunegate.judge.controls import encryption, estate, identity, lineage, models, network
from tunegate.judge.controls.control import Control

JOB_CONTROLS: tuple[Control[JobFacts], ...] = (
    *encryption.CONTROLS,
    *identity.CONTROLS,
    *network.CONTROLS,
    *lineage.CONTROLS,
    *models.CONTROLS,
)
ESTATE_CONTROLS: tuple[Control[EstateFacts], ...] = estate.CONTROLS
CONTROLS: tuple[Control[JobFacts] | Control[EstateFacts], ...] = (*JOB_CONTROLS, *ESTATE_CONTROLS)
BY_ID = {control.id: control for control in CONTROLS}
