"""A phrase split over the turns of a conversation: the seams between texts, read as one."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass

from tunegate.model import Record, Text

REACH = 200  # characters of a long text read on either side of a seam, cut between words
MAX_TEXTS = 64  # texts joined at most in one stretch
CARRIED = 24  # of them, how many the next stretch begins with, so that no phrase ends at the border


@dataclass(frozen=True, slots=True)
class Seam:
    """A stretch joined of several texts: `parts[i]`, read from `offsets[i]` on, begins at `starts[i]` of `value`."""

    value: str
    parts: tuple[Text, ...]
    starts: tuple[int, ...]
    offsets: tuple[int, ...]

    def place(self, begin: int, end: int) -> tuple[Text, int, int] | None:
        """Text and span in it where a match that crosses a seam begins; None where it lies within one text."""
        for at, start in enumerate(self.starts):
            following = self.starts[at + 1] if at + 1 < len(self.starts) else len(self.value) + 1
            if start <= begin < following:
                if end < following:
                    return None
                text = self.parts[at]
                return text, begin - start + self.offsets[at], len(text.value)
        return None


def seams(record: Record) -> Iterator[Seam]:
    """The stretches around the seams: of all texts in order, and of each role's texts where several speak."""
    texts = [text for text in record.texts if text.value.strip()]
    if len(texts) < 2:
        return
    yield from _stretches(texts)
    roles = list(dict.fromkeys(text.role for text in texts))
    if len(roles) > 1:
        for role in roles:
            yield from _stretches([text for text in texts if text.role == role])


def _stretches(texts: Sequence[Text]) -> Iterator[Seam]:
    """Texts joined by a space, long ones cut to their ends; a long text ends one stretch and begins the next."""
    run: list[tuple[Text, int, str]] = []
    for text in texts:
        if len(text.value) <= 2 * REACH:
            if len(run) >= MAX_TEXTS:
                yield _joined(run)
                run = run[-CARRIED:]
            run.append((text, 0, text.value))
            continue
        if run:
            yield _joined([*run, (text, 0, _head(text.value))])
        offset = _tail(text.value)
        run = [(text, offset, text.value[offset:])]
    if len(run) > 1:
        yield _joined(run)


def _head(value: str) -> str:
    return value[: value.rfind(" ", 0, REACH) + 1]


def _tail(value: str) -> int:
    """Where the last words of `value` begin."""
    begin = value.find(" ", len(value) - REACH)
    return len(value) if begin < 0 else begin


def _joined(run: Sequence[tuple[Text, int, str]]) -> Seam:
    starts, at = [], 0
    for _, _, value in run:
        starts.append(at)
        at += len(value) + 1
    value = " ".join(value for _, _, value in run)
    return Seam(value, tuple(text for text, _, _ in run), tuple(starts), tuple(offset for _, offset, _ in run))
