"""Looking around at a server before it is saved; and the certificate by which it knows us."""

from __future__ import annotations

import stat
from pathlib import Path
from typing import Any

import msgspec
import pytest
from asyncua import ua
from cryptography import x509
from tests.ingest.opcua.servers import Meters

from wattstead.ingest.errors import ParameterInvalid
from wattstead.ingest.opcua import identity
from wattstead.ingest.opcua.browsing import look
from wattstead.ingest.opcua.settings import OpcuaSettings, PickedNode
from wattstead.ingest.sources.source_protocol import SourceFailed

in_session = pytest.mark.asyncio(loop_scope="session")


@in_session
async def test_what_a_server_offers(server: Meters) -> None:
    found = {one.where: one for one in await look(OpcuaSettings(url=server.url), {"what": "endpoints"})}
    assert set(found) == {
        "none", "Basic256Sha256 sign", "Basic256Sha256 sign-and-encrypt", "Aes128Sha256RsaOaep sign-and-encrypt",
        "Aes256Sha256RsaPss sign-and-encrypt",
    }  # fmt: skip
    given = found["Basic256Sha256 sign"].settings
    assert given["security"] == "Basic256Sha256" and given["mode"] == "sign" and len(given["server_fingerprint"]) == 64
    assert found["none"].settings == {"security": "none"}
    assert "UserName" in found["none"].value


@in_session
async def test_nodes_are_browsed_and_picked(server: Meters) -> None:
    power = await server.add("Browsed", 1500.5, unit="W")
    await server.add("Remark", "winter")
    made = OpcuaSettings(url=server.url)
    objects = {one.name: one for one in await look(made, {"what": "browse"})}
    below = {one.name: one for one in await look(made, {"what": "browse", "node": objects["Meter/"].where})}
    assert (below["Browsed"].value, below["Browsed"].unit, below["Browsed"].where) == ("1500.5", "W", power)
    assert below["Browsed"].settings == {"nodes": [{"node": power, "name": "Browsed", "unit": "W"}]}
    assert below["Remark"].settings == {} and below["Remark"].fault == "is no number"
    every = {one.name: one for one in await look(made, {"what": "variables"})}
    assert every["Meter/Browsed"].settings["nodes"][0]["name"] == "Meter/Browsed"
    assert not any(name.startswith("Server/") for name in every), "what the server says of itself is not offered"
    picked = msgspec.convert({"url": server.url, **every["Meter/Browsed"].settings}, OpcuaSettings, strict=True)
    (tested,) = await look(picked, {})
    assert (tested.name, tested.value, tested.unit, tested.fault) == ("opcua/Meter/Browsed", "1500.5", "W", "")


@in_session
async def test_the_first_look_shows_what_is_offered_and_what_the_settings_let_us_see(server: Meters) -> None:
    node = await server.add("First", 3.0)
    open_to_all = [one.where for one in await look(OpcuaSettings(url=server.url), {})]
    assert open_to_all[0] == "none" and node in open_to_all
    untrusted = OpcuaSettings(url=server.url, security="Basic256Sha256")
    assert node not in [one.where for one in await look(untrusted, {})]
    mistaken = msgspec.structs.replace(untrusted, server_fingerprint="ab" * 32)
    last = (await look(mistaken, {}))[-1]
    assert "when it was trusted" in last.fault and last.where == "i=85"


@in_session
async def test_values_that_are_bad_and_nodes_that_are_not_there(server: Meters) -> None:
    sick = await server.add("Feverish", 1.0)
    await server.set("Feverish", 1.0, status=ua.StatusCodes.BadSensorFailure)
    nodes = (PickedNode(node=sick), PickedNode(node="ns=1;s=nowhere"))
    found = await look(OpcuaSettings(url=server.url, nodes=nodes), {})
    assert [one.fault for one in found] == ["BadSensorFailure", "BadNodeIdUnknown"]


@pytest.mark.parametrize(
    "wish, reason",
    [({"what": "nonsense"}, "one of endpoints, browse"), ({"x": 1}, "unknown field"), ({"what": "test"}, "nodes")],
)
@in_session
async def test_wishes_that_have_no_meaning(server: Meters, wish: dict[str, Any], reason: str) -> None:
    with pytest.raises(ParameterInvalid, match=reason):
        await look(OpcuaSettings(url=server.url), wish)


@in_session
async def test_nobody_there() -> None:
    with pytest.raises(SourceFailed, match="cannot be reached"):
        await look(OpcuaSettings(url="opc.tcp://127.0.0.1:9", timeout_s=1.0), {})


def test_our_certificate_is_made_once_and_nobody_else_reads_its_key(our_folder: Path) -> None:
    first, again = identity.identity(), identity.identity()
    assert first == again and first.fingerprint == identity.fingerprint(first.certificate)
    certificate = x509.load_der_x509_certificate(first.certificate)
    names = certificate.extensions.get_extension_for_class(x509.SubjectAlternativeName).value
    assert first.uri in names.get_values_for_type(x509.UniformResourceIdentifier)
    assert [stat.S_IMODE(file.stat().st_mode) for file in our_folder.glob("opcua.*")] == [0o600] * 2
