"""How a conversation is written for the language model, once in Python and once as the chat template that is saved.

`USER: <image> … ASSISTANT: …</s>`, as in the original (TinyLLaVA Factory's llama template without its opening
sentence). The template marks answers with `{% generation %}`: a trainer that is told to learn from answers alone finds
them there, and learns from every token of a template without the marks.
"""

from collections.abc import Iterable
from dataclasses import dataclass
from typing import Any

from tinyemo_data.errors import MMLLMError

IMAGE = "<image>"
USER, ASSISTANT = "USER: ", "ASSISTANT:"
MARK = "{% generation %}"
TEMPLATE = (
    "{{ START }}{% for message in messages %}"
    "{% if message['role'] == 'user' %}USER: "
    "{% if message['content'] is string %}{{ message['content'] }}{% else %}"
    "{% for part in message['content'] if part['type'] == 'image' %}<image>\n{% endfor %}"
    "{% for part in message['content'] if part['type'] == 'text' %}{{ part['text'] }}{% endfor %}{% endif %} "
    "{% else %}ASSISTANT:{% generation %} "
    "{% if message['content'] is string %}{{ message['content'] }}{% else %}"
    "{% for part in message['content'] if part['type'] == 'text' %}{{ part['text'] }}{% endfor %}{% endif %}"
    "{{ END }}{% endgeneration %}{% endif %}{% endfor %}"
    "{% if add_generation_prompt %}ASSISTANT:{% endif %}"
)


@dataclass(frozen=True)
class ChatFormat:
    """What a tokenizer's conversations begin with (where it has something), and what ends each answer."""

    start: str
    end: str

    @property
    def template(self) -> str:
        """Return the Jinja template of this format."""
        return TEMPLATE.replace("{{ START }}", self.start).replace("{{ END }}", self.end)

    def render(self, turns: Iterable[tuple[str, str]]) -> tuple[str, list[tuple[int, int]]]:
        """Return the text of (question, answer) turns, and the spans of its characters that are learnt."""
        text, spans = self.start, []
        for question, answer in turns:
            text += f"{USER}{question} {ASSISTANT}"
            spans.append((len(text), len(text) + 1 + len(answer) + len(self.end)))
            text += f" {answer}{self.end}"
        return text, spans

    def prompt(self, question: str) -> str:
        """Return the text that an answer to `question` continues."""
        return f"{self.start}{USER}{question} {ASSISTANT}"


def chat_format(tokenizer: Any) -> ChatFormat:
    """Return the format for a tokenizer: with its start token where it puts one before every text by itself."""
    ids = tokenizer("a").input_ids
    starts = tokenizer.bos_token_id is not None and ids[:1] == [tokenizer.bos_token_id]
    return ChatFormat(tokenizer.bos_token if starts else "", tokenizer.eos_token)


def check_template(processor: Any, where: str) -> None:
    """Raise MMLLMError where the chat template does not mark answers: every token would be learnt."""
    if MARK not in (processor.chat_template or ""):
        raise MMLLMError(
            f"{where}: its chat template has no {MARK}, so that questions would be learnt like answers. "
            "Compose the model by this program, or put the marks around what the assistant says."
        )
