"""What a job reads from and writes to S3, by the emulator's own HTTP endpoint and with its service role's credentials.

Nothing here looks into S3's memory: IAM, bucket policies, keys and endpoints decide as they would for anybody. A
`JobError` says what AWS says of data it cannot use:
https://docs.aws.amazon.com/bedrock/latest/userguide/model-customization-troubleshoot.html
"""

import json
import os
import threading
from collections.abc import Iterator
from typing import Any

import botocore.session
from botocore.config import Config
from botocore.exceptions import BotoCoreError, ClientError

from tunegate_local.origin import ENDPOINT_HEADER
from tunegate_local.services.bedrock.roles import Session
from tunegate_local.services.bedrock.store import JobError

# As much of a data set as is learnt from; the rest is read and left.
SAMPLE = 1024 * 1024
PAGE = 100
_sdk = botocore.session.Session()
_making = threading.Lock()


def client(service: str, region: str, session: Session | None = None) -> Any:
    """A client of the emulator around, as a service role or, without one, as Bedrock itself: with every permission."""
    keys: dict[str, Any] = {}
    if session is not None:
        keys = {
            "aws_access_key_id": session.access_key,
            "aws_secret_access_key": session.secret_key,
            "aws_session_token": session.token,
        }
    # The SDK's sessions are not made for several threads.
    with _making:
        return _sdk.create_client(
            service,
            region_name=region,
            endpoint_url=f"http://127.0.0.1:{os.environ['GATEWAY_PORT']}",
            config=Config(s3={"addressing_style": "path"}, retries={"total_max_attempts": 1}),
            **keys,
        )


class Data:
    """S3 as one job reaches it; `endpoint` is the VPC endpoint its requests come through."""

    def __init__(self, session: Session, endpoint: str | None) -> None:
        self._s3 = client("s3", session.region, session)
        if endpoint is not None:
            self._s3.meta.events.register("before-sign.s3", _through(endpoint))

    def objects(self, uri: str) -> Iterator[tuple[str, Any]]:
        """Key and body stream of the object an s3Uri names, or of every object under the prefix it names."""
        bucket, _, key = uri.removeprefix("s3://").partition("/")
        if key and not key.endswith("/"):
            body = self._open(bucket, key)
            if body is not None:
                yield key, body
                return
            key += "/"
        found = 0
        for name in self._names(bucket, key):
            body = self._open(bucket, name)
            if body is not None:
                found += 1
                yield name, body
        if not found:
            raise JobError(f"No files were found at the Amazon S3 location: {uri}")

    def sample(self, uri: str) -> bytes:
        """The beginning of what an s3Uri names, all of which is read."""
        sample = bytearray()
        for _, body in self.objects(uri):
            for chunk in body.iter_chunks(SAMPLE):
                sample += chunk[: SAMPLE - len(sample)]
        return bytes(sample)

    def files(self, uri: str, kept: tuple[str, ...]) -> dict[str, bytes]:
        """Every file under an s3Uri by its name without folders, all read; the content of those to be kept."""
        files: dict[str, bytes] = {}
        for key, body in self.objects(uri):
            name = key.rsplit("/", 1)[-1]
            content = b"".join(chunk if name in kept else b"" for chunk in body.iter_chunks(SAMPLE))
            files[name] = content
        return files

    def write(self, uri: str, name: str, content: bytes) -> None:
        """An output file, under the prefix an s3Uri names."""
        bucket, _, prefix = uri.removeprefix("s3://").partition("/")
        key = f"{prefix.rstrip('/')}/{name}".lstrip("/")
        try:
            self._s3.put_object(Bucket=bucket, Key=key, Body=content)
        except (ClientError, BotoCoreError) as error:
            raise JobError(
                "Amazon S3 perms missing (PutObject): Could not validate PutObject permissions to access S3 bucket: "
                f"{bucket} at key {key}"
            ) from error

    def _open(self, bucket: str, key: str) -> Any:
        """The body stream of an object, or None where there is no such key."""
        try:
            return self._s3.get_object(Bucket=bucket, Key=key)["Body"]
        except ClientError as error:
            if error.response["Error"]["Code"] == "NoSuchKey":
                return None
            raise _refused("GetObject", bucket, key) from error
        except BotoCoreError as error:
            raise _refused("GetObject", bucket, key) from error

    def _names(self, bucket: str, prefix: str) -> Iterator[str]:
        listing = self._s3.get_paginator("list_objects_v2")
        pages = listing.paginate(Bucket=bucket, Prefix=prefix, PaginationConfig={"PageSize": PAGE})
        try:
            for page in pages:
                yield from (item["Key"] for item in page.get("Contents", []) if not item["Key"].endswith("/"))
        except (ClientError, BotoCoreError) as error:
            raise _refused("ListBucket", bucket, prefix) from error


def require_jsonl(key: str, lines: Iterator[bytes]) -> None:
    """Raises JobError unless every line is a JSON object; only files named as JSONL are held to it."""
    if not key.endswith(".jsonl"):
        return
    try:
        conforms = all(isinstance(json.loads(line), dict) for line in lines if line.strip())
    except ValueError:
        conforms = False
    if not conforms:
        raise JobError(f"Unable to parse Amazon S3 file: {key}. Data files must conform to JSONL format.")


def _refused(permission: str, bucket: str, key: str) -> JobError:
    return JobError(f"Could not validate {permission} permissions to access Amazon S3 bucket: {bucket} at key {key}")


def _through(endpoint: str) -> Any:
    def add(request: Any, **_: Any) -> None:
        request.headers[ENDPOINT_HEADER] = endpoint

    return add
