"""Which files an import takes, by their names in the upload's prefix. What is in them is judged apart from that."""

from enum import StrEnum
from fnmatch import fnmatchcase
from pathlib import PurePosixPath


class Kind(StrEnum):
    """What a file claims to be."""

    WEIGHTS = "weights"
    CONFIG = "config"
    INDEX = "index"
    TOKENIZER = "tokenizer"
    SETTINGS = "settings"
    SENTENCEPIECE = "sentencepiece"
    TEMPLATE = "template"
    TEXT = "text"
    CODE = "code"
    OTHER = "other"


INDEX_NAME = "model.safetensors.index.json"

_NAMES = {
    "config.json": Kind.CONFIG,
    INDEX_NAME: Kind.INDEX,
    "tokenizer.json": Kind.TOKENIZER,
    "vocab.json": Kind.TOKENIZER,
    "added_tokens.json": Kind.TOKENIZER,
    "tokenizer_config.json": Kind.SETTINGS,
    "special_tokens_map.json": Kind.SETTINGS,
    "generation_config.json": Kind.SETTINGS,
    "chat_template.json": Kind.SETTINGS,
    "preprocessor_config.json": Kind.SETTINGS,
    "processor_config.json": Kind.SETTINGS,
    "video_preprocessor_config.json": Kind.SETTINGS,
    "tokenizer.model": Kind.SENTENCEPIECE,
    "spiece.model": Kind.SENTENCEPIECE,
    "chat_template.jinja": Kind.TEMPLATE,
    "merges.txt": Kind.TEXT,
    "vocab.txt": Kind.TEXT,
}
_DOCUMENTS = ("readme*", "license*", "licence*", "notice*", "copying*", "copyright*", "use_policy*", "changelog*")
_DOCUMENT_SUFFIXES = {"", ".md", ".txt", ".rst"}
_CODE_SUFFIXES = {".py", ".pyc", ".pyo", ".pyd", ".so", ".dll", ".dylib", ".sh", ".ipynb", ".js", ".exe", ".bat"}


def kind_of(name: str) -> Kind:
    """The kind of a file by its name relative to the prefix. A name in another case, or in a folder, is another name.

    Besides what Bedrock reads, plain text about the model passes: README, LICENSE and their like, `.gitattributes`.
    """
    path = PurePosixPath(name)
    if path.suffix.lower() in _CODE_SUFFIXES:
        return Kind.CODE
    if "/" in name:
        return Kind.OTHER
    if name.endswith(".safetensors"):
        return Kind.WEIGHTS
    return _NAMES.get(name) or (Kind.TEXT if _is_document(path) else Kind.OTHER)


def _is_document(path: PurePosixPath) -> bool:
    if path.name in (".gitattributes", ".gitignore"):
        return True
    stem = path.name.lower()
    named = path.suffix.lower() == ".md" or any(fnmatchcase(stem, pattern) for pattern in _DOCUMENTS)
    return named and path.suffix.lower() in _DOCUMENT_SUFFIXES
