"""What was noted of a number is taken back."""

from __future__ import annotations

from agi_bot.campaign.office import Office
from agi_bot.web.keys import Role
from tests.unit.web.conftest import Api


async def test_a_number_that_exists_after_all(api: Api, office: Office) -> None:
    query = "INSERT INTO numbers (number, unallocated) VALUES ('13800000001', 1)"
    await office.database.run(lambda db: db.execute(query))
    path = "/api/v1/numbers/13800000001"
    assert (await api.ask("GET", path)).json()["known"]["unallocated"] == 1
    assert (await api.ask("DELETE", f"{path}/unallocated", role=Role.VIEWER)).status_code == 403
    assert (await api.ask("DELETE", f"{path}/unallocated")).status_code == 204
    assert (await api.ask("GET", path)).json()["known"]["unallocated"] == 0
    assert (await api.ask("DELETE", f"{path}/unallocated")).status_code == 404
