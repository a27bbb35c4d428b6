"""`tinyemo`: the few things that are not assets."""

import sys
from pathlib import Path
from typing import Annotated, NoReturn

import typer
from dotenv import load_dotenv
from rich.console import Console

from tinyemo_data import settings
from tinyemo_data.errors import TinyEmoError
from tinyemo_data.synthesis.rehearsal.command import rehearse

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


@app.command()
def synthesize(
    name: Annotated[str, typer.Argument(help="an instruct set of the profile, such as finetune")],
    dry_run: Annotated[bool, typer.Option("--dry-run", help="only say what asking would send and cost")] = False,
    retry_failed: Annotated[
        bool, typer.Option("--retry-failed", help="ask again what the service refused for good, after mending why")
    ] = False,
    profile: Profile = None,
) -> None:
    """Make one instruct set here and now, as its asset would; what was answered before is not asked again."""
    from tinyemo_data.instruct_command import forecast_here, make_here

    chosen = _settings(profile)
    try:
        ended_well = forecast_here(chosen, name, console) if dry_run else make_here(chosen, name, console, retry_failed)
    except TinyEmoError as exc:
        _stop(exc)
    raise typer.Exit(0 if ended_well else 1)


@app.command()
def explain(
    record: Annotated[str, typer.Argument(help="a record's id, such as emoset/image/awe/awe_00001#reasoning")],
    set_name: Annotated[str | None, typer.Option("--set", help="its set, where several have that id")] = None,
    published: Annotated[
        str | None, typer.Option(help="a published set that it is of: a folder, or an id on the Hub such as me/set@v1")
    ] = None,
    profile: Profile = None,
) -> None:
    """Say where a record comes from: picture, prompt as sent, raw reply, gates, tokens, price, model, date.

    Of a published set: picture, prompt, request, code and files; the raw reply where the profile's ledger has it.
    """
    chosen = _settings(profile)
    try:
        if published is not None:
            from tinyemo_data.hub.command import explain_published_here

            explain_published_here(chosen, published, record, console)
            return
        from tinyemo_data.instruct_command import explain_here

        explain_here(chosen, record, set_name, console)
    except TinyEmoError as exc:
        _stop(exc)


@app.command()
def stage(
    what: Annotated[str, typer.Argument(help="pretrain, finetune, hq, projector or mm_llm")],
    publish: Annotated[bool, typer.Option("--publish", help="then send it to the Hub")] = False,
    profile: Profile = None,
) -> None:
    """Stage a repository for the Hub, for you to look at; exits with 1 where what was asked could not be done."""
    from tinyemo_data.hub.command import stage_here

    chosen = _settings(profile)
    try:
        ended_well = stage_here(chosen, what, console, publish)
    except TinyEmoError as exc:
        _stop(exc)
    raise typer.Exit(0 if ended_well else 1)


@app.command()
def rehydrate(
    location: Annotated[str, typer.Argument(help="a published set: a folder, or an id on the Hub such as me/set@v1")],
    pictures: Annotated[Path, typer.Argument(help="your pictures: a folder that holds a folder a dataset")],
    out: Annotated[Path | None, typer.Option(help="write the records whose picture is at hand, with its path")] = None,
) -> None:
    """Join a published set with your own copy of its pictures; exits with 1 where pictures are missing."""
    from tinyemo_data.hub.command import rehydrate_here

    try:
        whole = rehydrate_here(location, pictures, out, console)
    except TinyEmoError as exc:
        _stop(exc)
    raise typer.Exit(0 if whole else 1)


@app.command()
def lint(
    file: Annotated[Path, typer.Argument(help="a LLaVA JSON file")],
    stage: Annotated[int, typer.Option(help="the trainer's stage: 1 connector, 2 instructions")],
    images: Annotated[Path | None, typer.Option(help="the trainer's --image_folder, to look for pictures")] = None,
    tokenizer: Annotated[Path | None, typer.Option(help="the language model's tokenizer.json, to count tokens")] = None,
) -> None:
    """Look through a training file for what the trainer would trip over; exits with 1 where there is something."""
    from tinyemo_data.synthesis.export.lint import lint as look_through
    from tinyemo_data.synthesis.export.lint import read_tokenizer

    try:
        report = look_through(file, stage, images, None if tokenizer is None else read_tokenizer(tokenizer))
    except TinyEmoError as exc:
        _stop(exc)
    for line in report.lines():
        console.print(line, highlight=False, soft_wrap=True, markup=False)
    raise typer.Exit(int(not report.ok))


@app.command()
def batches(
    cancel: Annotated[
        bool, typer.Option("--cancel", help="cancel all that are under way; what is done is kept")
    ] = False,
    abandon: Annotated[
        str | None, typer.Option(help="id of a batch whose results are gone: ask its requests again")
    ] = None,
    profile: Profile = None,
) -> None:
    """Say which message batches are under way: since when, how many requests, until when, and dollars at risk."""
    from tinyemo_data.instruct_command import batches_here

    chosen = _settings(profile)
    try:
        batches_here(chosen, cancel, abandon, console)
    except TinyEmoError as exc:
        _stop(exc)


@app.command()
def import_released(
    file: Annotated[Path, typer.Argument(help="a released JSON file, such as that of TinyEmo-EmoReason-175k")],
    name: Annotated[str, typer.Argument(help="which set it is; an unknown name lists them")],
    images: Annotated[Path | None, typer.Option(help="folder that WEBEmo lies in, to look for pictures")] = None,
    profile: Profile = None,
) -> None:
    """Import a TinyEmo set as it was released: paths and spellings mended, faults counted."""
    from tinyemo_data.instruct_command import import_here

    chosen = _settings(profile)
    try:
        import_here(chosen, file, name, images, console)
    except TinyEmoError as exc:
        _stop(exc)


@app.command()
def classify(
    pictures: Annotated[list[Path], typer.Argument(help="picture files")],
    taxonomy: Annotated[str, typer.Option(help="the labels to choose from, such as mikels8 or ekman6")] = "mikels8",
    profile: Profile = None,
) -> None:
    """Say which emotion each picture evokes, by the Metric Projector; exits with 1 where one can't be read."""
    from tinyemo_data.mm_llm.command import classify_here

    chosen = _settings(profile)
    try:
        all_read = classify_here(chosen, pictures, console, taxonomy)
    except TinyEmoError as exc:
        _stop(exc)
    raise typer.Exit(0 if all_read else 1)


@app.command()
def reason(
    pictures: Annotated[list[Path], typer.Argument(help="picture files")],
    label: Annotated[str | None, typer.Option(help="explain this emotion; default: the one that is predicted")] = None,
    withhold: Annotated[bool, typer.Option("--withhold", help="tell no label: the model has to look")] = False,
    taxonomy: Annotated[str, typer.Option(help="the labels to choose from, such as mikels8 or ekman6")] = "mikels8",
    profile: Profile = None,
) -> None:
    """Say why each picture evokes its emotion: projector, label, explanation; exits with 1 where one can't be read."""
    from tinyemo_data.mm_llm.command import reason_here

    chosen = _settings(profile)
    try:
        all_read = reason_here(chosen, pictures, label, withhold, console, taxonomy)
    except TinyEmoError as exc:
        _stop(exc)
    raise typer.Exit(0 if all_read else 1)


@app.command()
def review(profile: Profile = None) -> None:
    """Check what people decided of the audit's slices, and list what is undecided; exits with 1 where something is."""
    from tinyemo_data.audit.command import review_here

    chosen = _settings(profile)
    try:
        all_decided = review_here(chosen, console)
    except TinyEmoError as exc:
        _stop(exc)
    raise typer.Exit(0 if all_decided else 1)


@app.command()
def retrieve(
    word: Annotated[str, typer.Argument(help="any word, such as abandoned")],
    count: Annotated[int, typer.Option(help="how many pictures", min=1)] = 12,
    dataset: Annotated[str | None, typer.Option(help="of this dataset alone")] = None,
    out: Annotated[Path | None, typer.Option(help="a contact sheet of them, .png or .jpg")] = None,
    profile: Profile = None,
) -> None:
    """List the pictures that the projector puts nearest to a word of the language model."""
    from tinyemo_data.audit.interpretability.command import retrieve_here

    chosen = _settings(profile)
    try:
        retrieve_here(chosen, word, count, dataset, console, out)
    except TinyEmoError as exc:
        _stop(exc)


app.command()(rehearse)


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
