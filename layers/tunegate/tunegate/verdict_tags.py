"""The tag by which a model and a means to invoke one is known as approved. The invoker role's policy reads by it."""

MODEL_VERDICT_TAG = "tunegate-verdict"
APPROVED = "approved"
TOLERATED = "tolerated"
"""Broken controls that in audit mode are reported and not acted on."""
REJECTED = "rejected"
HELD = "held"
USABLE = frozenset({APPROVED, TOLERATED})
