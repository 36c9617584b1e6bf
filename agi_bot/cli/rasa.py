"""``agi-bot rasa``: an environment of its own for Rasa, training, the server, its state."""

from __future__ import annotations

import asyncio
import os
from pathlib import Path
from typing import Annotated

import typer

from agi_bot.errors import InterpreterDown, NluError
from agi_bot.nlu.data import NluData, data_files
from agi_bot.nlu.rasa_client import RasaClient, RasaSettings
from agi_bot.nlu.rasa_env import RasaHome, environment, unit_file
from agi_bot.shipped import shipped

app = typer.Typer(no_args_is_help=True, add_completion=False, rich_markup_mode=None)

Folder = Annotated[Path, typer.Option(help="Folder of Rasa's environment and models.", envvar="AGI_BOT_RASA_FOLDER")]
Language = Annotated[str, typer.Option(help="zh-CN or en.")]
Port = Annotated[int, typer.Option(help="Port of the server on 127.0.0.1.")]
Token = Annotated[str, typer.Option(help="The server's token.", envvar="AGI_BOT_UNDERSTANDING__RASA_TOKEN")]
Secret = Annotated[
    str, typer.Option(help="Its JWT secret, instead of a token.", envvar="AGI_BOT_UNDERSTANDING__RASA_JWT_SECRET")
]
HOME = Path("agi-bot-data/rasa")


@app.command()
def setup(
    folder: Folder = HOME,
    python: Annotated[Path | None, typer.Option(help="A Python 3.8, 3.9 or 3.10; none: looked for.")] = None,
    bert: Annotated[bool, typer.Option(help="Also what the BERT pipeline needs.")] = False,
) -> None:
    """Install Rasa 3.6 beside agi-bot (about 2.7 GB, some minutes)."""
    RasaHome(folder).setup(python, bert=bert)
    typer.echo(f"Rasa is installed in {folder}; next: agi-bot rasa train")


@app.command()
def train(
    files: Annotated[list[Path] | None, typer.Argument(help="nlu.yml files; none: the shared data.")] = None,
    language: Language = "zh-CN",
    pipeline: Annotated[str, typer.Option(help="light or bert.")] = "light",
    weights: Annotated[str, typer.Option(help="bert: folder of your weights; none: the pipeline's own name.")] = "",
    folder: Folder = HOME,
) -> None:
    """Train a model from the same data as the embedded interpreter."""
    data = NluData.load([*data_files(shipped("flows", "shared"), language), *(files or ())])
    model = RasaHome(folder).train(data, language, pipeline, weights)
    typer.echo(f"{len(data.intents)} intents, {len(data.all_examples)} examples: {model}")


@app.command()
def run(
    model: Annotated[Path | None, typer.Argument(help="Model file; none: the one trained last.")] = None,
    port: Port = 5005,
    token: Token = "",
    jwt_secret: Secret = "",
    folder: Folder = HOME,
) -> None:
    """Run the server until stopped (Ctrl-C)."""
    home = RasaHome(folder)
    command = home.server_command(model or home.newest_model(), port, token, jwt_secret=jwt_secret)
    os.execve(command[0], command, dict(environment()))


@app.command()
def status(
    url: Annotated[str, typer.Option(help="Address of the server.")] = "http://127.0.0.1:5005",
    token: Token = "",
    jwt_secret: Secret = "",
) -> None:
    """Tell whether the server answers, its version and its model."""
    try:
        typer.echo(asyncio.run(_status(RasaSettings(url, token, jwt_secret, timeout_s=3))))
    except InterpreterDown as error:
        typer.echo(f"down: {error}", err=True)
        raise typer.Exit(1) from None


@app.command()
def load(
    model: Annotated[Path, typer.Argument(help="Model file on the server's machine.")],
    url: Annotated[str, typer.Option(help="Address of the server.")] = "http://127.0.0.1:5005",
    token: Token = "",
    jwt_secret: Secret = "",
) -> None:
    """Let a running server load another model; it answers nobody for 10 to 35 s meanwhile."""
    asyncio.run(_load(RasaSettings(url, token, jwt_secret, timeout_s=30), model))
    typer.echo(f"{url} runs {model.name}")


@app.command()
def unit(folder: Folder = HOME, model: Annotated[Path | None, typer.Option()] = None, port: Port = 5005) -> None:
    """Print a systemd unit that keeps the server running."""
    home = RasaHome(folder.resolve())
    typer.echo(unit_file(home, model or home.newest_model(), port), nl=False)


async def _status(settings: RasaSettings) -> str:
    async with RasaClient(settings) as client:
        version = await client.version()
        state = await client.status()
        model = state.get("model_file") or "no model"
        return f"Rasa {version} at {settings.url}: {Path(str(model)).name}"


async def _load(settings: RasaSettings, model: Path) -> None:
    if not model.is_file():
        raise NluError(f"there is no model {model}", cure="agi-bot rasa train")
    async with RasaClient(settings) as client:
        await client.load(str(model.resolve()))
        await client.parse("好")  # the first parse takes seconds: not in a call
