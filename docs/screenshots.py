"""Takes the README's pictures of the Dagster UI: `make screenshots`, after `make demo`.

Starts the UI as `make dev` does, opens it in a headless Chromium, and writes docs/asset-graph.png, evaluation.png,
instruct.png, reasoning.png and audit-report.png. Look at them before you commit them.
"""

import os
import signal
import socket
import subprocess
import sys
import time
import urllib.error
import urllib.request
from pathlib import Path

from playwright.sync_api import Page, sync_playwright

DOCS = Path(__file__).parent
CHROMIUM = os.environ.get("CHROMIUM", "/usr/bin/chromium")
FLAGS = [
    "--no-sandbox",
    "--disable-gpu",
    "--no-first-run",
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-sync",
]
READY_SECONDS = 120
SETTLE = 4_000  # milliseconds that the page is given to lay itself out


def main() -> None:
    """Start the UI, take the pictures, stop it."""
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        port = free.getsockname()[1]
    command = [sys.executable, "-m", "dagster", "dev", "-m", "pipelines.definitions", "-p", str(port)]
    server = subprocess.Popen(command, cwd=DOCS.parent, start_new_session=True)
    try:
        address = f"http://127.0.0.1:{port}"
        wait_for(address)
        with sync_playwright() as playwright:
            browser = playwright.chromium.launch(executable_path=CHROMIUM, args=FLAGS)
            page = browser.new_page()
            graph(page, f"{address}/asset-groups")
            evaluation(page, f"{address}/assets/evaluation/classification?view=overview")
            instruct(page, f"{address}/assets/instruct/finetune?view=overview")
            reasoning(page, f"{address}/assets/evaluation/reasoning?view=overview")
            report(page, DOCS.parent / "data/demo/store/audit/report.html")
            browser.close()
    finally:
        os.killpg(server.pid, signal.SIGINT)
        server.wait(timeout=30)


def wait_for(address: str) -> None:
    """Wait until the server answers."""
    deadline = time.monotonic() + READY_SECONDS
    while time.monotonic() < deadline:
        try:
            urllib.request.urlopen(f"{address}/server_info", timeout=2).close()
        except (urllib.error.URLError, OSError):
            time.sleep(0.5)
        else:
            return
    sys.exit(f"The UI did not answer within {READY_SECONDS} s.")


def graph(page: Page, address: str) -> None:
    """Show the asset graph by its groups: each opens at a click."""
    page.set_viewport_size({"width": 1500, "height": 800})
    page.goto(address)
    page.get_by_text("Global asset lineage").wait_for()
    page.wait_for_timeout(SETTLE)
    page.screenshot(path=DOCS / "asset-graph.png")


def evaluation(page: Page, address: str) -> None:
    """Show the evaluation's page with its plot open."""
    page.set_viewport_size({"width": 1500, "height": 900})
    page.goto(address)
    page.get_by_role("row").filter(has_text="plot").get_by_text("[Show Markdown]").click()
    page.locator('img[src^="data:image/png"]').wait_for()
    page.wait_for_timeout(SETTLE)
    page.screenshot(path=DOCS / "evaluation.png")


def instruct(page: Page, address: str) -> None:
    """Show an instruct set's page with its funnel open."""
    page.set_viewport_size({"width": 1500, "height": 900})
    page.goto(address)
    page.get_by_text("funnel", exact=True).first.wait_for()
    page.wait_for_timeout(SETTLE)
    row = page.locator("tr", has=page.get_by_text("funnel", exact=True)).first
    row.get_by_text("Show").first.click()
    page.wait_for_timeout(SETTLE)
    page.screenshot(path=DOCS / "instruct.png")


def reasoning(page: Page, address: str) -> None:
    """Show the page of the MM-LLM's evaluation with its plot open."""
    page.set_viewport_size({"width": 1500, "height": 900})
    page.goto(address)
    page.get_by_role("row").filter(has_text="plot").get_by_text("[Show Markdown]").first.click()
    page.locator('img[src^="data:image/png"]').first.wait_for()
    page.wait_for_timeout(SETTLE)
    page.screenshot(path=DOCS / "reasoning.png")


def report(page: Page, file: Path) -> None:
    """Show the beginning of the bias audit's page."""
    page.set_viewport_size({"width": 1200, "height": 900})
    page.goto(file.as_uri())
    page.wait_for_timeout(SETTLE)
    page.screenshot(path=DOCS / "audit-report.png")


if __name__ == "__main__":
    main()
