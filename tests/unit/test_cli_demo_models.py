"""What the demo's check of its models lets pass, and what it does not."""

from dataclasses import replace

from tunegate.model import Verdict
from tunegate.rows import Action, DecisionRow
from tunegate_cli.demo.models import WEIGHTS, UploadedModel, check_models, files_of, pickled, safetensors
from tunegate_cli.report import ReceivedAlert
from unit.weights_world import MODEL as SMALL
from unit.weights_world import judged

NOTHING = dict.fromkeys(SMALL)
MODEL = UploadedModel("models/pickled/", "a pickle", Verdict.FLAGGED)
ROW = DecisionRow(judged(NOTHING | files_of(pickled())), Action.SCAN, "s", "2026", "1")
ALERT = ReceivedAlert(MODEL.prefix, "v", "critical", "unsafe_model", "flagged", "s", "t", "2026", {})


def test_the_pickle_is_flagged_for_what_it_calls_and_told_once() -> None:
    assert check_models([MODEL], [ROW], [ALERT]).problems == ()


def test_the_sound_model_is_sound() -> None:
    sound = UploadedModel("models/sound/", "safetensors", Verdict.CLEAN)
    row = replace(ROW, decision=judged(NOTHING | files_of(safetensors())))
    assert check_models([sound], [row], []).problems == ()


def test_an_alert_too_few_or_too_many_is_a_problem() -> None:
    for alerts in ([], [ALERT, ALERT]):
        [problem] = check_models([MODEL], [ROW], alerts).problems
        assert "On call heard" in problem


def test_another_verdict_and_a_nameless_finding_are_problems() -> None:
    clean = replace(ROW, decision=judged())
    wrong, nameless = check_models([MODEL], [clean], [ALERT]).problems
    assert "should be flagged and is clean" in wrong
    assert WEIGHTS in nameless
