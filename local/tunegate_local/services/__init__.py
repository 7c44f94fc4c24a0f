"""AWS services of ours, served inside the emulator's process: same port, same accounts, same IAM as ministack's."""

from tunegate_local.services import (
    bedrock,
    cloudtrail,
    detectors,
    guardduty,
    macie,
    macie_ends,
    macie_identifiers,
    macie_jobs,
    malware,
    mounting,
    origin,
    sagemaker,
)
from tunegate_local.services.control import pace
from tunegate_local.services.events import bus
from tunegate_local.services.raw import Application, remembering


def mount(application: Application) -> Application:
    """The emulator with our services in it. To be called before ministack's gaps are closed, which build on it."""
    bus.watch()
    control_plane, runtime = bedrock.make(bus.publish, pace.seconds)
    # Signed for the same service, they are told apart by their paths, of which ministack does not know all.
    mounting.serve(
        ("bedrock", "bedrock-runtime"),
        (
            mounting.Operations("bedrock", control_plane.operations),
            mounting.Operations("bedrock-runtime", runtime.operations),
            detectors.guardrails(),
        ),
    )
    mounting.serve(("comprehend",), (detectors.comprehend(),))
    own = macie_identifiers.Identifiers()
    own.are_resources()
    session = macie.Macie(macie_jobs.Jobs(bus.publish, pace.seconds, macie_ends.ends, own))
    macie.sessions_are_resources(session)
    mounting.serve(("macie2",), (mounting.Operations("macie2", session.operations),))
    protection = guardduty.MalwareProtection(bus.publish, malware.answers)
    guardduty.plans_are_resources(protection)
    bus.listen(protection.uploaded)
    trainings = sagemaker.SageMaker(bus.publish, pace.seconds)
    mounting.serve(("sagemaker",), (mounting.Operations("sagemaker", trainings.operations),))
    origin.endpoints_count()
    cloudtrail.record_calls()
    return remembering(origin.located(application))
