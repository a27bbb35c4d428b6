import subprocess
import sys
import threading
import time
from pathlib import Path

from tinyemo_data.synthesis.lock import sole_sender

HOLD = """
import sys, time
from pathlib import Path
from tinyemo_data.synthesis.lock import sole_sender
with sole_sender(Path(sys.argv[1])):
    print("held", flush=True)
    time.sleep(60)
"""


def test_the_second_sender_waits_and_is_told_for_whom(tmp_path: Path) -> None:
    ledger, told, order = tmp_path / "requests.sqlite", [], []  # type: ignore[var-annotated]

    def second() -> None:
        with sole_sender(ledger, told.append):
            order.append("second")

    with sole_sender(ledger):
        thread = threading.Thread(target=second)
        thread.start()
        while not told:
            time.sleep(0.01)
        order.append("first")
    thread.join(30)
    assert order == ["first", "second"]
    assert "process" in told[0]


def test_a_killed_sender_holds_nobody_up(tmp_path: Path) -> None:
    ledger = tmp_path / "requests.sqlite"
    holder = subprocess.Popen([sys.executable, "-c", HOLD, str(ledger)], stdout=subprocess.PIPE)
    assert holder.stdout is not None
    assert holder.stdout.readline() == b"held\n"
    holder.kill()
    holder.wait()
    with sole_sender(ledger):
        pass
