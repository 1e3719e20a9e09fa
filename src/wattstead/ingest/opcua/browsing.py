"""Browsing: for people who set a source up; what a server offers and which nodes it has; keeps nothing.

Without ``what`` the picked nodes are tested; where none is picked yet, what the server offers is shown, and its
variables as far as the settings let us in. ``what`` says for what: ``endpoints`` (security and the server's
fingerprint; asks without security), ``browse`` (the nodes below one), ``variables`` (those at any depth below one),
``test`` (the picked nodes with their values).
"""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Mapping, Sequence
from typing import Any

import msgspec
from asyncua import Client, ua
from asyncua.common.node import Node

from wattstead.ingest.errors import ParameterInvalid
from wattstead.ingest.opcua.connecting import MODES, POLICIES, certificate_of, connected, endpoints, failed
from wattstead.ingest.opcua.identity import fingerprint
from wattstead.ingest.opcua.receiving import node_ids
from wattstead.ingest.opcua.settings import OpcuaSettings
from wattstead.ingest.sources.source_protocol import Found, SourceFailed
from wattstead.metering.quantity import ALIASES, UNITS

_OBJECTS = "i=85"
_MOST = 2_000
_DEEPEST = 12
_A_REQUEST = 200
_UNITS_ASKED = 300
"""Variables whose unit is asked for: each costs two answers of the server, and people wait."""
_OWN = 0
"""The standard's own namespace: the server about itself."""


Looking = Callable[[Client, OpcuaSettings, "Wish"], Awaitable[list[Found]]]


class Wish(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """What is looked for."""

    what: str = ""
    node: str = _OBJECTS
    """Below which is browsed."""


async def look(settings: OpcuaSettings, wish: Mapping[str, Any]) -> Sequence[Found]:
    """What was looked for; raises `SourceFailed`, `ParameterInvalid`."""
    try:
        wanted = msgspec.convert(dict(wish), Wish)
    except msgspec.ValidationError as error:
        raise ParameterInvalid("wish", str(dict(wish)), str(error)) from None
    if wanted.what == "endpoints":
        return await _endpoints(settings)
    if not wanted.what and not settings.nodes:
        return await _first(settings, wanted)
    looking = _LOOKS.get(wanted.what or "test")
    if looking is None:
        raise ParameterInvalid("what", wanted.what, f"one of endpoints, {', '.join(_LOOKS)}")
    return await _inside(settings, wanted, looking)


async def _first(settings: OpcuaSettings, wish: Wish) -> list[Found]:
    """What the server offers, and its variables or why they are not shown."""
    offered = await _endpoints(settings)
    if settings.security != "none" and not settings.server_fingerprint:
        return offered
    try:
        return offered + await _inside(settings, wish, _variables)
    except SourceFailed as error:
        return [*offered, Found(where=wish.node, fault=str(error))]


async def _inside(settings: OpcuaSettings, wish: Wish, looking: Looking) -> list[Found]:
    async with connected(settings) as client:
        try:
            return await looking(client, settings, wish)
        except (OSError, TimeoutError, ua.UaError) as error:
            raise failed(settings, error) from error


async def _endpoints(settings: OpcuaSettings) -> list[Found]:
    policies = {policy.URI: name for name, policy in POLICIES.items()}
    modes = {mode: name for name, mode in MODES.items()}
    found = []
    for one in await endpoints(settings):
        uri = one.SecurityPolicyUri or ""
        name, mode = policies.get(uri, uri.rpartition("#")[2]), modes.get(one.SecurityMode, "")
        users = ", ".join(sorted({token.TokenType.name for token in one.UserIdentityTokens}))
        settled: dict[str, Any] = {"security": name}
        certificate = certificate_of(one)
        if name != "none":
            settled |= {"mode": mode, "server_fingerprint": fingerprint(certificate)}
        known = uri in policies
        found.append(
            Found(
                where=f"{name} {mode}".strip(),
                name=str(one.Server.ApplicationName.Text or one.Server.ApplicationUri or ""),
                value=f"users: {users}" + (f"; fingerprint {fingerprint(certificate)}" if certificate else ""),
                settings=settled if known else {},
                fault="" if known else "too old a policy to be safe; it is not used",
            )
        )
    return found


async def _browse(client: Client, settings: OpcuaSettings, wish: Wish) -> list[Found]:
    (start,) = await node_ids(client, [wish.node])
    uris = await client.get_namespace_array()
    below = await _children(client.get_node(start))
    variables = [one for one in below if one.NodeClass == ua.NodeClass.Variable]
    objects = [one for one in below if one.NodeClass == ua.NodeClass.Object]
    inner = [Found(where=written(one.NodeId, uris), name=f"{_text(one)}/") for one in objects]
    return inner + await _variables_found(client, [(_text(one), one.NodeId) for one in variables], uris)


async def _variables(client: Client, settings: OpcuaSettings, wish: Wish) -> list[Found]:
    (start,) = await node_ids(client, [wish.node])
    uris = await client.get_namespace_array()
    found: list[tuple[str, ua.NodeId]] = []
    seen = {start}
    waiting: list[tuple[str, ua.NodeId, int]] = [("", start, 0)]
    while waiting and len(found) < _MOST:
        path, node, depth = waiting.pop()
        for one in await _children(client.get_node(node)):
            if one.NodeId in seen or one.NodeId.NamespaceIndex == _OWN:
                continue
            seen.add(one.NodeId)
            name = f"{path}/{_text(one)}" if path else _text(one)
            if one.NodeClass == ua.NodeClass.Variable:
                found.append((name, one.NodeId))
            elif depth < _DEEPEST:
                waiting.append((name, one.NodeId, depth + 1))
    return await _variables_found(client, found[:_MOST], uris)


async def _test(client: Client, settings: OpcuaSettings, wish: Wish) -> list[Found]:
    if not settings.nodes:
        raise ParameterInvalid("nodes", "", "nodes in the settings, picked by browsing")
    ids = await node_ids(client, [node.node for node in settings.nodes])
    values = await _values(client, ids)
    return [
        Found(
            where=node.node, name=settings.prefix + (node.name or node.node), value=value, unit=node.unit, fault=fault
        )
        for node, (value, fault, _) in zip(settings.nodes, values, strict=True)
    ]


async def _children(node: Node) -> list[ua.ReferenceDescription]:
    mask = ua.NodeClass.Object | ua.NodeClass.Variable
    found = await node.get_references(ua.ObjectIds.HierarchicalReferences, ua.BrowseDirection.Forward, mask)
    return [one for one in found if one.ReferenceTypeId != ua.NodeId(ua.ObjectIds.HasProperty)][:_MOST]


async def _variables_found(
    client: Client, variables: Sequence[tuple[str, ua.NodeId]], uris: Sequence[str]
) -> list[Found]:
    values = await _values(client, [node for _, node in variables])
    found: list[Found] = []
    for (name, node), (value, fault, number) in zip(variables, values, strict=True):
        unit = await _unit(client.get_node(node)) if number and len(found) < _UNITS_ASKED else ""
        where = written(node, uris)
        picked = {"node": where, "name": name[-180:], **({"unit": unit} if unit else {})}
        found.append(
            Found(
                where=where,
                name=name,
                value=value,
                unit=unit,
                fault=fault or ("" if number else "is no number"),
                settings={"nodes": [picked]} if number or fault else {},
            )
        )
    return found


async def _values(client: Client, nodes: Sequence[ua.NodeId]) -> list[tuple[str, str, bool]]:
    """Of each node its value for people, what is wrong with it, and whether it is a number."""
    found: list[tuple[str, str, bool]] = []
    for start in range(0, len(nodes), _A_REQUEST):
        request = ua.ReadParameters()
        request.NodesToRead = [
            ua.ReadValueId(NodeId=node, AttributeId=ua.AttributeIds.Value) for node in nodes[start : start + _A_REQUEST]
        ]
        for one in await client.uaclient.read(request):
            status = one.StatusCode
            value = one.Value.Value if one.Value is not None else None
            fault = "" if status is None or status.is_good() else str(status.name)
            found.append(("" if value is None else str(value)[:200], fault, isinstance(value, bool | int | float)))
    return found


async def _unit(node: Node) -> str:
    """The unit that the server gives a variable, where we know it."""
    try:
        given = await (await node.get_child("0:EngineeringUnits")).read_value()
    except ua.UaError:
        return ""
    text = str(getattr(getattr(given, "DisplayName", None), "Text", "") or "")
    text = ALIASES.get(text, text)
    return text if text in UNITS else ""


def written(node: ua.NodeId, uris: Sequence[str]) -> str:
    """A node as it is kept in the settings: by the name of its namespace, whose number may change."""
    text = str(node.to_string())
    if node.NamespaceIndex and node.NamespaceIndex < len(uris):
        return f"nsu={uris[node.NamespaceIndex]};{text.partition(';')[2]}"
    return text


def _text(one: ua.ReferenceDescription) -> str:
    return str(one.DisplayName.Text or one.BrowseName.Name)


_LOOKS: dict[str, Looking] = {
    "browse": _browse,
    "variables": _variables,
    "test": _test,
}
