"""`tinyemo rehearse`: the server for people, who rehearse a run before they pay for it."""

import asyncio
import signal
from pathlib import Path
from typing import Annotated, Any

import typer
from pydantic import ValidationError
from rich.console import Console

from tinyemo_data.errors import RehearsalError, nearest
from tinyemo_data.synthesis.rehearsal.faults import Faults
from tinyemo_data.synthesis.rehearsal.options import Options

PORT = 8787
THINKING = "0.5"  # of replies; all current models think by default
PLANS = sorted(set(Faults.model_fields) - {"latency", "thinking"})

app = typer.Typer(add_completion=False, pretty_exceptions_enable=False)
console = Console(soft_wrap=True, highlight=False)


@app.command()
def rehearse(
    port: Annotated[int, typer.Option(help="where to listen on this machine; 0: any free port")] = PORT,
    latency: Annotated[
        str, typer.Option(help="seconds a reply takes: 1.5, 0.5-3, or lognormal:<median>,<sigma>")
    ] = "0",
    thinking: Annotated[str, typer.Option(help="share of replies that begin with a thinking block")] = THINKING,
    requests_per_minute: Annotated[float | None, typer.Option(help="rate limit of requests")] = None,
    input_tokens_per_minute: Annotated[float | None, typer.Option(help="rate limit of uncached input tokens")] = None,
    output_tokens_per_minute: Annotated[float | None, typer.Option(help="rate limit of output tokens")] = None,
    told: Annotated[bool, typer.Option(help="tell the limits in headers, and retry-after with a 429")] = True,
    fault: Annotated[
        list[str] | None,
        typer.Option(help="name=value, as often as you like: rate_limited=0.1, lost_reply=nth:3, refused=every:50"),
    ] = None,
    list_faults: Annotated[bool, typer.Option("--list-faults", help="say which faults there are, and stop")] = False,
    strict_pictures: Annotated[bool, typer.Option(help="decode every picture, not only its first bytes")] = False,
    bill_file: Annotated[Path | None, typer.Option(help="append a JSON line for everything that would be paid")] = None,
) -> None:
    """Answer as the Anthropic API and as a chat-completions server do, here and for nothing; bill at the end.

    Plans of faults: a share (0.1), nth:3,7, every:5 or from:10, of requests in their order of arrival.
    """
    if list_faults:
        _print_faults()
        return
    limits = {
        "requests_per_minute": requests_per_minute,
        "input_tokens_per_minute": input_tokens_per_minute,
        "output_tokens_per_minute": output_tokens_per_minute,
        "told": told,
        "retry_after": told,
    }
    faults = {"latency": latency, "thinking": thinking, **_read_faults(fault or [])}
    options = _options(
        port=port,
        faults=faults,
        limits=limits,
        strict_pictures=strict_pictures,
        bill_file=bill_file,
        keep_calls=False,
    )
    try:
        asyncio.run(_serve(options))
    except RehearsalError as exc:
        Console(stderr=True, soft_wrap=True, highlight=False).print(f"[red]RehearsalError[/]: {exc}")
        raise typer.Exit(1) from exc


def _print_faults() -> None:
    for name, field in Faults.model_fields.items():
        console.print(f"[bold]{name}[/]: {field.description}")


def _read_faults(given: list[str]) -> dict[str, str]:
    faults = {}
    for text in given:
        name, equals, value = text.partition("=")
        if not equals or name not in Faults.model_fields:
            raise typer.BadParameter(
                f"--fault {text}: expected name=value.{nearest(name, Faults.model_fields)} Known: {', '.join(PLANS)}."
            )
        faults[name] = value
    return faults


def _options(**values: Any) -> Options:
    try:
        return Options(**values)
    except ValidationError as exc:
        flaw = exc.errors()[0]
        where = ".".join(str(step) for step in flaw["loc"])
        raise typer.BadParameter(f"{where}: {flaw['msg']} (found {flaw['input']!r}).") from exc


async def _serve(options: Options) -> None:
    # Not at the top: whoever only wants the help needs no web server.
    from tinyemo_data.synthesis.rehearsal.application import start

    listening = await start(options)
    stopped = asyncio.Event()
    for number in (signal.SIGINT, signal.SIGTERM):
        asyncio.get_running_loop().add_signal_handler(number, stopped.set)
    _print_how_to_use(f"http://{options.host}:{listening.port}")
    await stopped.wait()
    await listening.stop()
    bill = listening.service.report()
    asked = f"{bill.paid:,} replies to {bill.distinct_paid:,} different requests"
    console.print(f"\nWould have been billed: ${bill.usd:.4f} for {asked}.")


def _print_how_to_use(url: str) -> None:
    console.print(f"A rehearsal server listens on {url}: nothing leaves this machine, nothing is paid.\n")
    console.print(f"  export ANTHROPIC_BASE_URL={url}")
    console.print("  export ANTHROPIC_API_KEY=rehearsal    # any text will do\n")
    console.print(f"Chat completions (vLLM, Ollama): {url}/v1")
    console.print(f"The bill so far: {url}/rehearsal/bill. Ctrl-C ends the server.")
