"""The report page: complete, self-contained, and deaf to what strangers name their files."""

import json
import re
from html.parser import HTMLParser

from tunegate.model import Category, Finding, Severity
from tunegate_cli.report import Check, FileStory, Place, ReceivedAlert, Report, Step, render

SSN = Finding(Category.PII, "SSN", Severity.HIGH, True, 8, "/prompt", 1, 1.0, ("comprehend", "screen"))
PUT = Step("Put into intake", "2026-11-22T10:00:00.000Z", "waiting")
SCANNED = Step("Scanned", "2026-11-22T10:00:01.000Z", "scan")
SETTLED = Step("Settled", "2026-11-22T10:00:03.000Z", "alert")
TOLD = Step("On call was told", "2026-11-22T10:00:04.000Z")


def story(key: str = "a.jsonl", state: str = "flagged", *, expected: str = "flagged", reason: str = "r") -> FileStory:
    place = Place("tunegate-quarantine-1", "q1")
    steps = (PUT, SCANNED, SETTLED, TOLD)
    return FileStory(key, "A sample", 2048, expected, state, reason, "v1", place, steps, (SSN,), "d" * 64, "scan")


def alert(key: str = "a.jsonl", text: str = "What: ...") -> ReceivedAlert:
    envelope = {"Type": "Notification", "Message": json.dumps({"text": text})}
    at = "2026-11-22T10:00:04.000Z"
    return ReceivedAlert(key, "v1", "high", "pii", "flagged", f"[HIGH] quarantined: {key}", text, at, envelope)


def report(*files: FileStory, alerts: tuple[ReceivedAlert, ...] = (), checks: tuple[Check, ...] = ()) -> Report:
    return Report("2026-11-22T10:00:00.000Z", "2026-11-22T10:01:00.000Z", files, alerts, checks)


class Page(HTMLParser):
    """The elements of a page, as a browser reads them."""

    def __init__(self, html: str) -> None:
        super().__init__()
        self.elements: list[tuple[str, dict[str, str | None]]] = []
        self.text = ""
        self.feed(html)

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.elements.append((tag, dict(attrs)))

    def handle_data(self, data: str) -> None:
        self.text += data


def test_it_fetches_nothing() -> None:
    html = render(report(story(), alerts=(alert(),)))
    page = Page(html)
    assert not {"script", "link", "img", "iframe"} & {tag for tag, _ in page.elements}
    assert all((attributes.get("href") or "#").startswith("#") for _, attributes in page.elements)
    assert "@import" not in html
    assert "url(" not in html
    assert "default-src 'none'" in html


def test_names_reasons_and_alerts_are_shown_as_text_not_as_markup() -> None:
    evil = "<script>alert(1)</script>\"'&.jsonl"
    problem = Check("c", "w", (evil,))
    page = Page(render(report(story(evil, reason=evil), alerts=(alert(evil, evil),), checks=(problem,))))
    assert "script" not in {tag for tag, _ in page.elements}
    assert page.text.count(evil) >= 5


def test_it_tells_each_files_story() -> None:
    text = Page(render(report(story(), alerts=(alert(),)))).text
    for part in ("a.jsonl", "tunegate-quarantine-1", "pii SSN", "/prompt", "On call was told", "3.0 s", "2.0 KB"):
        assert part in text


def test_the_alert_is_shown_as_received() -> None:
    received = alert(text="Training file quarantined\nWhat to do: look")
    text = Page(render(report(story(), alerts=(received,)))).text
    assert "What to do: look" in text
    assert json.dumps(received.envelope, indent=2) in text


def test_problems_are_at_the_top_and_the_file_stands_open() -> None:
    wrong = story(state="clean")
    page = Page(render(report(wrong, checks=(Check("Verdicts", "w", ("a.jsonl should be flagged",)),))))
    assert "1 thing is not as expected" in page.text
    assert page.text.index("a.jsonl should be flagged") < page.text.index("File by file")
    assert [attributes for tag, attributes in page.elements if tag == "details" and "open" in attributes]


def test_bars_lie_on_one_axis_from_the_first_upload_to_the_last_step() -> None:
    bars = report(story()).bars(story())
    assert [(bar["phase"], bar["left"], bar["width"]) for bar in bars] == [
        ("waiting", 0, 25), ("scan", 25, 50), ("alert", 75, 25),
    ]  # fmt: skip


def test_every_link_leads_somewhere() -> None:
    html = render(report(story(), story("b.jsonl"), alerts=(alert(), alert("b.jsonl"))))
    targets = set(re.findall(r'id="([^"]+)"', html))
    assert set(re.findall(r'href="#([^"]+)"', html)) <= targets


def test_a_refused_upload_has_no_place() -> None:
    refused = FileStory("a.jsonl", "w", 1, "refused", "refused", "S3 answered AccessDenied", "", Place(), (PUT,), ())
    text = Page(render(report(refused))).text
    assert "nowhere: S3 refused the upload" in text


def test_the_results_say_the_same_to_a_program() -> None:
    document = json.loads(json.dumps(report(story(), checks=(Check("c", "w", ("p",)),)).to_json()))
    assert (document["passed"], document["problems"], document["states"]) == (False, ["p"], {"flagged": 1})
    assert document["files"][0]["findings"][0]["type"] == "SSN"
    assert document["files"][0]["seconds"] == 3.0
