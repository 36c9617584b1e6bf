"""Every option of agi-bot with its default and one line of explanation."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated, Any, Literal

from pydantic import BeforeValidator, Field, model_validator

from agi_bot.config.outbound import CampaignSettings, OutboxSettings, SmsSettings, WebSettings, Zone
from agi_bot.config.privacy import PrivacySettings
from agi_bot.config.section import Section


def _text_keys(value: Any) -> Any:
    """YAML reads an unquoted 400 as a number; a dialled number is text."""
    return {str(key): item for key, item in value.items()} if isinstance(value, dict) else value


Routes = Annotated[dict[str, str], BeforeValidator(_text_keys)]


class AmiSettings(Section):
    """Asterisk Manager Interface: needed for outbound calls and for `agi-bot check`."""

    host: str = Field("127.0.0.1", description="Host of the AMI.")
    port: int = Field(5038, ge=1, le=65535, description="Port of the AMI.")
    user: str = Field("", description="AMI user; empty: no AMI, so inbound calls only.")
    secret: str = Field("", description="AMI secret; better given as AGI_BOT_ASTERISK__AMI__SECRET.")


class AsteriskSettings(Section):
    """How calls come from Asterisk and go to it."""

    agi_host: str = Field("127.0.0.1", description="Address on which the FastAGI server listens.")
    agi_port: int = Field(4573, ge=0, le=65535, description="Port of the FastAGI server.")
    audio_host: str = Field("127.0.0.1", description="Address on which the AudioSocket server listens.")
    audio_port: int = Field(4574, ge=0, le=65535, description="Port of the AudioSocket server.")
    audio_address: str = Field("", description="host:port of it as Asterisk reaches it; empty: the two above.")
    channel: str = Field(
        "Local/{number}@agi-bot-outbound",
        description="Channel dialled for outbound calls; the context holds your routes.",
    )
    context: str = Field("agi-bot", description="Context of dialplans/asterisk/agi-bot.conf.")
    extension: str = Field("answered", description="Extension in it to which answered outbound calls go.")
    direct: bool = Field(False, description="Whether calls may come by AudioSocket alone, without AGI.")
    direct_flow: str = Field("", description="Flow of such a call, unless AMI told another.")
    transfer_context: str = Field(
        "", description="Context to which the bot itself transfers by AMI; empty: your dialplan does it."
    )
    spool: str = Field("", description="Folder for the sound files of EAGI calls; empty: the system's own.")
    ami: AmiSettings = Field(default_factory=AmiSettings)


class FreeswitchSettings(Section):
    """How calls come from FreeSWITCH and go to it."""

    host: str = Field("127.0.0.1", description="Host of mod_event_socket.")
    port: int = Field(8021, ge=1, le=65535, description="Port of mod_event_socket.")
    password: str = Field(
        "", description="Its password, better given as AGI_BOT_FREESWITCH__PASSWORD; empty: inbound calls only."
    )
    listen_host: str = Field("127.0.0.1", description="Address on which the outbound socket server listens.")
    listen_port: int = Field(8084, ge=0, le=65535, description="Port of the outbound socket server.")
    media_host: str = Field("127.0.0.1", description="Our address for the call's sound; keep it private.")
    media_local: str = Field("127.0.0.1", description="FreeSWITCH's own address for the call's sound.")
    channel: str = Field("sofia/gateway/trunk/{number}", description="Dial string for outbound calls.")
    context: str = Field("agi_bot", description="Context of dialplans/freeswitch/agi_bot.xml.")
    extension: str = Field("answered", description="Extension in it to which answered outbound calls go.")
    transfer_context: str = Field(
        "", description="Context to which the bot itself transfers; empty: your dialplan does it."
    )
    media: Literal["unicast", "audio_fork", "audio_stream"] = Field(
        "unicast", description="How the sound travels: by FreeSWITCH's core, mod_audio_fork or mod_audio_stream."
    )
    media_port: int = Field(
        0, ge=0, le=65535, description="Port on media_host to which those modules connect; 0: any free one."
    )
    backend: Literal["native", "greenswitch"] = Field("native", description="Event socket library.")


class HearingSettings(Section):
    """Recognition of the caller's speech."""

    models: dict[str, Path] = Field(
        default_factory=dict,
        description="Model folder by language, e.g. zh-CN: models/vosk-model-small-cn-0.22; "
        "a language without one uses the demo model.",
    )
    threads: int = Field(0, ge=0, description="Threads for recognition; 0: one a core.")
    min_confidence: float = Field(0.4, ge=0, le=1, description="Final texts below this count as not understood.")


class TurnSettingsSection(Section):
    """When the caller's turn ends, and what interrupts the bot."""

    preset: Literal["quick", "normal", "patient"] = Field(
        "normal", description="quick: short answers; patient: people who think while they speak."
    )
    barge_in: bool = Field(True, description="Whether callers may interrupt the bot.")
    limits: dict[str, int] = Field(
        default_factory=dict,
        description="Single limits over the preset's, ms, such as max_turn_ms: 15000 (docs/turns.md).",
    )


class UnderstandingSettings(Section):
    """From words to intents and entities."""

    engine: Literal["embedded", "rasa"] = Field("embedded", description="Interpreter; rasa falls back to embedded.")
    data: list[Path] = Field(
        default_factory=list, description="Training data (nlu.yml) besides what lies beside the flows."
    )
    rasa_url: str = Field("http://127.0.0.1:5005", description="Rasa server, for engine: rasa.")
    rasa_urls: dict[str, str] = Field(
        default_factory=dict,
        description="Rasa server by language, as a model knows one, e.g. en: http://127.0.0.1:5006; "
        "a language without one is understood by the embedded engine. Empty: rasa_url for all.",
    )
    rasa_token: str = Field("", description="Its token; better given as AGI_BOT_UNDERSTANDING__RASA_TOKEN.")
    rasa_jwt_secret: str = Field(
        "", description="Its --jwt-secret, instead of a token; better as AGI_BOT_UNDERSTANDING__RASA_JWT_SECRET."
    )
    timeout_ms: int = Field(800, ge=50, description="Longest wait for an answer, then the embedded engine is asked.")


class SpeakingSettings(Section):
    """Voices and prompts."""

    voices: Path | None = Field(None, description="Your own voices.yml; empty: the voices that are shipped.")
    voice: dict[str, str] = Field(
        default_factory=lambda: {"zh-CN": "calm_female", "en": "calm_female"},
        description="Voice by language where a flow names none.",
    )
    models: Path = Field(Path("agi-bot-data/voices"), description="Folder of pulled voices (agi-bot voices pull).")
    workers: int = Field(1, ge=1, description="Processes of each Coqui or ONNX voice.")
    worker_mb: int = Field(
        4000, ge=0, description="A voice's process that grows beyond this is replaced, MB; 0: any size."
    )
    recordings: Path | None = Field(
        None, description="Your recordings.yml: WAV or MP3 files spoken in place of prompts; empty: none."
    )
    cache: Path = Field(Path("agi-bot-data/prompts"), description="Folder of rendered prompts.")
    cache_mb: int = Field(500, ge=1, description="Largest size of that folder, MB.")


class FlowSettings(Section):
    """The scripts."""

    folder: Path = Field(
        Path("flows"), description="Folder of the flow files; new versions are taken up while running."
    )
    transfers: list[str] = Field(
        default_factory=list, description="Extensions and queues that flows may transfer to; empty: not checked."
    )
    default: str = Field(
        "", description="Flow of a call that names none; empty: such a call goes back to the dialplan."
    )
    published: Path = Field(
        Path("agi-bot-data/flows"), description="Folder of published versions (agi-bot flow publish)."
    )
    routes: Routes = Field(
        default_factory=dict,
        description="Flow by the number that was dialled, e.g. '400': appointment_reminder.",
    )
    timezone: Zone = Field("Asia/Shanghai", description="Zone of 'tomorrow at three' where the flow names none.")


HOOKS = (
    "Addresses that flows may call, by name, e.g. crm.reschedule: https://crm.example.com/reschedule, or "
    "{url: http://10.0.0.5/reschedule, allow_private: true, headers: {Authorization: Bearer KEY}}."
)


class HookSettings(Section):
    """One address that flows may call (`call: crm.reschedule`)."""

    url: str = Field(description="Where to POST the arguments as JSON; the answer's fields become slots.")
    headers: dict[str, str] = Field(default_factory=dict, description="HTTP headers, e.g. Authorization.")
    timeout_s: float = Field(5.0, gt=0, le=60, description="Longest wait for the answer, seconds.")
    allow_private: bool = Field(False, description="Whether it may be an address of a private network.")

    @model_validator(mode="before")
    @classmethod
    def _bare(cls, written: object) -> object:
        """`crm.reschedule: http://...` is short for an address without anything else."""
        return {"url": written} if isinstance(written, str) else written


class StoreSettings(Section):
    """What is kept of calls."""

    database: Path = Field(Path("agi-bot-data/agi-bot.db"), description="SQLite file.")
    recordings: Path = Field(Path("agi-bot-data/recordings"), description="Folder of the recordings.")
    record: bool = Field(True, description="Whether calls are recorded (caller left, bot right).")
    format: Literal["wav", "flac", "ogg"] = Field("flac", description="File format of recordings.")


class LogSettings(Section):
    """The log: one line an event."""

    level: Literal["debug", "info", "warning", "error"] = Field(
        "info", description="debug also shows what callers say: personal data."
    )
    format: Literal["text", "json"] = Field("text", description="text for people, json for log collectors.")


class SupervisorSettings(Section):
    """The watchdog that kills and restarts a frozen bot, so that callers go on in the dialplan."""

    enabled: bool = Field(True, description="Whether `agi-bot serve` runs under the watchdog.")
    heartbeat_timeout_s: float = Field(2.5, ge=0.5, le=30, description="A bot silent for this long is killed.")


class Settings(Section):
    """The whole of agi-bot.yml."""

    pbx: Literal["asterisk", "freeswitch"] = Field("asterisk", description="The telephone exchange.")
    asterisk: AsteriskSettings = Field(default_factory=AsteriskSettings)
    freeswitch: FreeswitchSettings = Field(default_factory=FreeswitchSettings)
    flows: FlowSettings = Field(default_factory=FlowSettings)
    hearing: HearingSettings = Field(default_factory=HearingSettings)
    turns: TurnSettingsSection = Field(default_factory=TurnSettingsSection)
    understanding: UnderstandingSettings = Field(default_factory=UnderstandingSettings)
    speaking: SpeakingSettings = Field(default_factory=SpeakingSettings)
    hooks: dict[str, HookSettings] = Field(default_factory=dict, description=HOOKS)
    store: StoreSettings = Field(default_factory=StoreSettings)
    privacy: PrivacySettings = Field(default_factory=PrivacySettings)
    campaigns: CampaignSettings = Field(default_factory=CampaignSettings)
    web: WebSettings = Field(default_factory=WebSettings)
    outbox: OutboxSettings = Field(default_factory=OutboxSettings)
    sms: SmsSettings = Field(default_factory=SmsSettings)
    log: LogSettings = Field(default_factory=LogSettings)
    supervisor: SupervisorSettings = Field(default_factory=SupervisorSettings)
