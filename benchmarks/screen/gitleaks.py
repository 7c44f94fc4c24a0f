"""Gitleaks' rules as data for the screen: id, pattern, keywords, entropy."""

import re
import tomllib
from typing import Any

import re2

LEFT_OUT = (
    "generic-api-key",
    "curl-auth-header",
    "curl-auth-user",
    "pkcs12-file",
    "hashicorp-tf-password",
)  # noisy on prose, or about files
# Keywords of two letters, which most texts hold; every match has a long run of characters, so that wakes them instead.
LONG = ("jwt", "twilio-api-key", "vault-service-token", "sendgrid-api-token")
# Gitleaks ends a secret at a quote, a space or a semicolon; in prose it may as well end at a full stop or a bracket.
CODE_END = r"""(?:[\x60'"\s;]|\\[nr]|$)"""
PROSE_END = r"""(?:[^A-Za-z0-9_=/+-]|$)"""


def rules(document: str) -> list[dict[str, Any]]:
    """The rules that look at content and that RE2 can run, ids in snake case."""
    found = []
    for rule in tomllib.loads(document)["rules"]:
        if "regex" in rule and rule["id"] not in LEFT_OUT:
            pattern = rule["regex"].replace(CODE_END, PROSE_END)
            re2.compile(pattern)
            entry = {"id": re.sub(r"\W+", "_", rule["id"]), "pattern": pattern, "keywords": rule["keywords"]}
            if rule["id"] in LONG:
                entry["long"] = True
            if "entropy" in rule:
                entry["entropy"] = rule["entropy"]
            found.append(entry)
    return found
