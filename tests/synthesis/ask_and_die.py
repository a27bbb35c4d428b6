"""Asks the test questions as a process of its own, which a test kills at a moment of its choosing.

python -m tests.synthesis.ask_and_die LEDGER QUESTIONS CONCURRENCY [CHAT_URL]
"""

import sys
from pathlib import Path

from tests.synthesis.asking import in_chunks, questions
from tinyemo_data.synthesis.backends.anthropic_messages import AnthropicMessages
from tinyemo_data.synthesis.backends.openai_compatible import OpenAICompatible
from tinyemo_data.synthesis.budget import Budget
from tinyemo_data.synthesis.engine import Asker
from tinyemo_data.synthesis.ledger import Ledger
from tinyemo_data.synthesis.lock import sole_sender


def main() -> None:
    ledger_file, count, concurrency = Path(sys.argv[1]), int(sys.argv[2]), int(sys.argv[3])
    chat = sys.argv[4:]
    with Ledger(ledger_file) as ledger, sole_sender(ledger_file):
        backend = OpenAICompatible(chat[0], concurrency) if chat else AnthropicMessages(concurrency)
        Asker(ledger, backend, Budget(None), concurrency).run(in_chunks(questions(count), 50), count)


if __name__ == "__main__":
    main()
