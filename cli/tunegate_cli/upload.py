"""`tunegate upload`: files into intake, as a user should put them."""

from collections.abc import Callable, Iterable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path, PurePosixPath
from typing import TYPE_CHECKING, Annotated

import typer
from boto3.exceptions import Boto3Error, S3UploadFailedError
from boto3.s3.transfer import TransferConfig
from botocore.exceptions import BotoCoreError, ClientError

from tunegate_cli.console import TransferBar, output
from tunegate_cli.errors import CommandError, explain
from tunegate_cli.stack import DEFAULT_NAME, StackName, find_stack
from tunegate_cli.tables import cell

if TYPE_CHECKING:
    from mypy_boto3_s3 import S3Client

MULTIPART_BYTES = 64 * 1024**2
"""Up to 5 GB a single put would do; parts let several streams fill the line and a failed one be repeated alone."""

Progress = Callable[[int], None]


@dataclass(frozen=True, slots=True)
class Item:
    """One file and the key it will have."""

    path: Path
    key: str


@dataclass(frozen=True, slots=True)
class Intake:
    """Where uploads go, and the key they are encrypted with."""

    s3: "S3Client"
    bucket: str
    kms_key: str

    def put(self, item: Item, progress: Progress | None = None) -> str:
        """Put one file, in parts where it is large. Returns the id of the version it became."""
        config = TransferConfig(multipart_threshold=MULTIPART_BYTES, multipart_chunksize=MULTIPART_BYTES)
        encryption = {"ServerSideEncryption": "aws:kms", "SSEKMSKeyId": self.kms_key}
        with _watched(self.s3) as versions:
            try:
                self.s3.upload_file(str(item.path), self.bucket, item.key, encryption, progress, config)
            except S3UploadFailedError as error:
                # The transfer's error is a sentence; the one it wraps says which operation S3 refused, and why.
                raise error.__context__ or error from None
        return versions[-1]


@contextmanager
def _watched(s3: "S3Client") -> Iterator[list[str]]:
    """The ids of the versions put meanwhile: a transfer does not tell, and an uploader may not list them."""
    versions: list[str] = []

    def note(parsed: dict[str, str], **_: object) -> None:
        versions.append(parsed.get("VersionId", ""))

    events = [f"after-call.s3.{operation}" for operation in ("PutObject", "CompleteMultipartUpload")]
    for event in events:
        s3.meta.events.register(event, note)
    try:
        yield versions
    finally:
        for event in events:
            s3.meta.events.unregister(event, note)


def items_of(paths: Iterable[Path], prefix: str) -> Iterator[Item]:
    """Every file to upload. A directory's files keep their place below it in their keys."""
    for path in paths:
        if path.is_dir():
            files = sorted(file for file in path.rglob("*") if file.is_file())
            yield from (Item(file, prefix + file.relative_to(path).as_posix()) for file in files)
        else:
            yield Item(path, prefix + PurePosixPath(path).name)


def upload(
    paths: Annotated[
        list[Path], typer.Argument(metavar="PATH", help="Files, or directories taken with all below them.")
    ],
    prefix: Annotated[str, typer.Option(help="What each key begins with, e.g. `support-bot/`.")] = "",
    stack: StackName = DEFAULT_NAME,
) -> None:
    """Put training files into intake, where each new version is scanned.

    Prints the id of the version each file became.

    Example:

        tunegate upload train.jsonl validation.jsonl --prefix support-bot/
    """
    missing = [str(path) for path in paths if not path.exists()]
    if missing:
        raise CommandError(f"No such file: {', '.join(missing)}")
    items = list(items_of(paths, prefix))
    found = find_stack(stack)
    failed = _upload_all(Intake(found.s3, found.intake, found.data_key), items)
    if failed:
        raise CommandError(f"{failed} of {len(items)} files were not uploaded: the reasons are above.", exit_code=1)


def _upload_all(intake: Intake, items: list[Item]) -> int:
    """Upload what can be. Returns how many could not."""
    uploaded: list[str] = []
    try:
        with TransferBar(sum(item.path.stat().st_size for item in items)) as bar:
            for item in items:
                bar.describe(item.key)
                try:
                    version = intake.put(item, bar.advance)
                except (OSError, ClientError, BotoCoreError, Boto3Error) as error:
                    bar.say(f"{item.path}: {explain(error) or error}")
                else:
                    uploaded.append(f"s3://{intake.bucket}/{item.key}  {version}")
    finally:
        # After the bar, which would be drawn over them; and also when interrupted: these versions exist.
        for line in uploaded:
            output().print(cell(line), soft_wrap=True)
    return len(items) - len(uploaded)
