"""What services call sensitive information, in this product's words: credentials are secrets, the rest is PII."""

from tunegate.model import Category

_CREDENTIALS = frozenset({"PASSWORD", "AWS_ACCESS_KEY", "AWS_SECRET_KEY", "PIN"})


def named(kind: str) -> tuple[Category, str]:
    """Category and finding type of one of Comprehend's entity types. Secrets are named as the built-in screen does."""
    if kind in _CREDENTIALS:
        return Category.SECRET, kind.lower()
    return Category.PII, kind
