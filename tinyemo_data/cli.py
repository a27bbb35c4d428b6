"""`tinyemo`: the few things that are not assets."""

import sys
from pathlib import Path
from typing import Annotated, NoReturn

import typer
from dotenv import load_dotenv
from rich.console import Console

from tinyemo_data import settings
from tinyemo_data.errors import TinyEmoError

app = typer.Typer(no_args_is_help=True, add_completion=False, help=__doc__, pretty_exceptions_enable=False)

# A pipe or a log has no width of its own: wide enough for the accuracy table.
WIDTH_OF_NO_TERMINAL = 120
console = Console(width=None if Console().is_terminal else WIDTH_OF_NO_TERMINAL)

Profile = Annotated[str | None, typer.Option(help="a profile's name or path; default: TINYEMO_PROFILE, else demo")]


@app.command()
def doctor(profile: Profile = None) -> None:
    """Say what this machine has and what is missing for the profile; exits with 1 where something must be mended."""
    from tinyemo_data.doctor import examine

    findings = examine(_settings(profile))
    for finding in findings:
        mark = "[green]ok  [/]" if finding.ok else ("[red]mend[/]" if finding.needed else "[yellow]note[/]")
        console.print(f"{mark} {finding.what}: {finding.found}", highlight=False, soft_wrap=True)
    raise typer.Exit(int(any(finding.needed and not finding.ok for finding in findings)))


@app.command()
def show(profile: Profile = None) -> None:
    """Print what the profile's store holds: the accuracy table, and where everything lies."""
    from tinyemo_data.overview import print_overview

    chosen = _settings(profile)
    try:
        print_overview(chosen, console)
    except TinyEmoError as exc:
        _stop(exc)


def _settings(profile: str | None) -> settings.Settings:
    load_dotenv(Path.cwd() / ".env")
    try:
        return settings.load(profile)
    except TinyEmoError as exc:
        _stop(exc)


def _stop(error: TinyEmoError) -> NoReturn:
    Console(stderr=True).print(f"[red]{type(error).__name__}[/]: {error}", highlight=False, soft_wrap=True)
    sys.exit(1)


if __name__ == "__main__":
    app()
