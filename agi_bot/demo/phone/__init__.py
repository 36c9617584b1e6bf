"""A small telephone in Python: SIP and RTP on 127.0.0.1, and the simulated people who use it."""

from __future__ import annotations

from agi_bot.demo.phone.patient import HangUp, Interrupt, Listen, Patient, Press, Say
from agi_bot.demo.phone.softphone import CallRefused, PhoneCall, Softphone

__all__ = [
    "CallRefused",
    "HangUp",
    "Interrupt",
    "Listen",
    "Patient",
    "PhoneCall",
    "Press",
    "Say",
    "Softphone",
]
