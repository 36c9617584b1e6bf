"""Which number is shown: that of the callee's area, else the campaign's."""

from __future__ import annotations

import pytest

from agi_bot.campaign.model import Campaign

AREAS = {"021": "02160001111", "0": "4008001234", "1380013": "01060002222"}


@pytest.mark.parametrize(
    ("number", "shown"),
    [
        ("02112345678", "02160001111"),
        ("075512345678", "4008001234"),
        ("13800138000", "01060002222"),
        ("13900138000", "95588"),
        ("021", "02160001111"),
    ],
)
def test_the_longest_beginning_wins(number: str, shown: str) -> None:
    assert Campaign("spring", "f", caller_id="95588", caller_ids=AREAS).caller_id_for(number) == shown


def test_without_areas_it_is_the_campaign_s() -> None:
    assert Campaign("spring", "f", caller_id="95588").caller_id_for("13800138000") == "95588"
    assert Campaign("spring", "f").caller_id_for("13800138000") == ""
