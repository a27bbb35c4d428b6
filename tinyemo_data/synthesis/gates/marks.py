"""Marks: text by which a trainer finds its way in a conversation, and text that does not belong to the public.

A value that holds a separator of the trainer's template masks out its whole sample.
"""

import re

import polars as pl

from tinyemo_data.synthesis.export.trainer import ASSISTANT, ENDS
from tinyemo_data.synthesis.gates.gate import Findings, quote, say_if
from tinyemo_data.synthesis.gates.limits import Limits

# Those of the trainer's templates first, then what other chat templates have: <|user|>, [INST], <start_of_turn>, …
SPECIAL = (
    *(re.escape(end) for end in ENDS),
    rf"\b{ASSISTANT.strip()}",
    r"\bUSER:",
    r"<\|[^|<>\n]{1,40}\|>",
    r"</?(?:s|unk|pad|bos|eos|im_start|im_end|im_patch|start_of_turn|end_of_turn)>",
    r"\[/?INST\]",
    r"<</?SYS>>",
    r"(?m:^#{2,3} ?(?:Human|Assistant|Instruction|Response|System)\b)",
)
KEY = (
    r"\b(?:sk|pk|rk)-[A-Za-z0-9_-]{16,}|\bAKIA[0-9A-Z]{16}\b|\bgh[pousr]_[A-Za-z0-9]{30,}|\bhf_[A-Za-z0-9]{30,}"
    r"|\bxox[abeoprs]-[A-Za-z0-9-]{10,}|\bAIza[0-9A-Za-z_-]{30,}|\beyJ[A-Za-z0-9_-]{10,}\.eyJ|-----BEGIN [A-Z ]*KEY"
    r"|[A-Za-z0-9+/_=-]{40,}"
)
EMAIL = r"[A-Za-z0-9._%+-]+@[A-Za-z0-9-]+(?:\.[A-Za-z0-9-]+)*\.[A-Za-z]{2,}"
URL = r"(?i:\bhttps?://|\bwww\.[a-z0-9]|\b[a-z0-9-]+\.(?:com|org|net|edu|gov|info|io)\b)"


def find_trainer_marks(_limits: Limits) -> Findings:
    """Separators and special tokens of chat templates, anywhere in the record."""
    return {"special_token": quote("everything", "|".join(SPECIAL))}


def find_private_strings(_limits: Limits) -> Findings:
    """Addresses and what looks like a key. What was found is not repeated in the reject: it may be a secret."""
    text = pl.col("everything")
    return {
        "email_address": say_if(text.str.contains(EMAIL), "an e-mail address"),
        "key": say_if(
            text.str.contains(KEY), "what looks like a key: 40 or more characters without a blank, or its mark"
        ),
        "web_address": say_if(text.str.contains(URL), "a web address"),
    }
