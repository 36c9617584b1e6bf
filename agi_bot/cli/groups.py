"""Command groups by name.  Imported only when used, so that ``agi-bot --version`` is quick."""

from __future__ import annotations

GROUPS: dict[str, tuple[str, str]] = {
    "flow": ("agi_bot.cli.flow", "Check, draw, test and publish flows."),
    "models": ("agi_bot.cli.models", "List, pull and verify recognition models."),
    "voices": ("agi_bot.cli.voices", "List, try and verify voices."),
    "prompts": ("agi_bot.cli.prompts", "Render prompts before they are needed."),
    "nlu": ("agi_bot.cli.nlu", "Train and measure the understanding."),
    "rasa": ("agi_bot.cli.rasa", "Install, train and run Rasa beside agi-bot."),
    "knowledge": ("agi_bot.cli.knowledge", "Questions that nobody could answer."),
    "campaign": ("agi_bot.cli.campaign", "Make, fill, start, watch and report campaigns."),
    "numbers": ("agi_bot.cli.numbers", "Import do-not-call lists and consent; call numbers again."),
    "key": ("agi_bot.cli.key", "Keys of the API."),
    "retention": ("agi_bot.cli.retention", "What is deleted when, and what was."),
    "outbox": ("agi_bot.cli.outbox", "What the CRM could not be told."),
}
"""Group name -> (module with a typer ``app``, one line of help)."""

COMMANDS: dict[str, tuple[str, str, str]] = {
    "rehearse": ("agi_bot.cli.rehearse", "rehearse", "Type what the caller says, see what the bot says."),
    "replay": ("agi_bot.cli.rehearse", "replay", "Run stored calls against another flow version."),
    "serve": ("agi_bot.cli.serve", "serve", "Take calls from the PBX until stopped."),
    "call": ("agi_bot.cli.call", "call", "Place one call and show the conversation."),
    "why": ("agi_bot.cli.why", "why", "Tell why a number was called, or was not."),
    "demo": ("agi_bot.cli.demo", "demo", "Put one real call through a private PBX."),
    "check": ("agi_bot.cli.check", "check", "Tell what is wrong with this installation and what to do."),
    "config": ("agi_bot.cli.config", "config", "Print agi-bot.yml with every option and its default."),
}
"""Command name -> (module, function, one line of help)."""
