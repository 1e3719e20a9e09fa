"""The HTTP front: plain ASGI that speaks the subset of ClickHouse HTTP which the unchanged clickhouse-connect needs.

It computes nothing and keeps no sessions; whatever is not in the subset is answered with 501.
"""

from __future__ import annotations

import asyncio
import logging
import time
from collections.abc import Awaitable, Callable, MutableMapping
from pathlib import Path
from typing import Any

import msgspec

from wattstead.store import allowed
from wattstead.store.engine import Connection, Engine, Result
from wattstead.store.errors import (
    LOGICAL_ERROR,
    RESULT_TOO_LARGE,
    SYNTAX_ERROR,
    EngineFault,
    Refused,
    not_served,
)
from wattstead.store.health import LaneState, ask_state, health
from wattstead.store.insert import forget_temporary, insert_block
from wattstead.store.lanes import Job, Lane
from wattstead.store.limits import StoreLimits
from wattstead.store.pulse import BUSY
from wattstead.store.request import (
    Gone,
    Headers,
    Question,
    Receive,
    Scope,
    authorisation,
    authorise,
    read_body,
    read_question,
)
from wattstead.store.statement import InsertBlock, LaneName, Read, Statement, read_statement

Send = Callable[[MutableMapping[str, Any]], Awaitable[None]]
_log = logging.getLogger("wattstead.store")

_STATUS = {
    **dict.fromkeys((60, 81, 218), 404),
    **dict.fromkeys((6, 27, 36, 38, 41, 43, 44, 46, 47, 53, 62, 63, 70, 72, 115, 117, 386, 456, 457), 400),
    **dict.fromkeys((48, 344), 501),
    **dict.fromkeys((164, 497), 403),
    159: 408,
    202: 503,
    241: 507,
    243: 507,
    252: 500,
}
"""HTTP status by the engine's error number; 500 otherwise. The client goes by the number, people by the status."""


class Front:
    """The ASGI application. ``key`` is the password of the one user."""

    def __init__(self, engine: Engine, limits: StoreLimits, key: str, folder: Path) -> None:
        self._limits, self._folder = limits, folder
        self._authorisation = authorisation(key)
        self._began = time.monotonic()
        self.lanes = _lanes(engine, limits)

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] != "http":
            return
        headers: Headers = dict(scope["headers"])
        try:
            await self._serve(scope, headers, receive, send)
        except Gone:
            return
        except Refused as refused:
            await _send_error(send, refused.status, refused.code, refused.text, refused.retry_after_s)
        except EngineFault as fault:
            await _send_error(send, _STATUS.get(fault.code, 500), fault.code, fault.text)
        except Exception as error:
            _log.exception("a request failed in the front")
            await _send_error(send, 500, LOGICAL_ERROR, f"the store's front failed: {error!r}; see its log")

    async def _serve(self, scope: Scope, headers: Headers, receive: Receive, send: Send) -> None:
        method, path = scope["method"], scope["path"]
        if path == "/ping" and method in {"GET", "HEAD"}:
            await _send(send, 200, [(b"content-type", b"text/plain"), (BUSY, b"%d" % self._long())], b"Ok.\n")
            return
        authorise(headers, self._authorisation)
        if path == "/alive" and method == "GET":
            await self._wait(self.lanes[LaneName.ADMIN].submit(_one), receive, ends_with_client=False)
            await _send(send, 200, [(b"content-type", b"text/plain")], b"Ok.\n")
            return
        if path == "/health" and method == "GET":
            await _send(send, 200, [(b"content-type", b"application/json")], await self._health(receive))
            return
        if path != "/" or method != "POST":
            raise not_served(f"{method} {path[:100]}")
        body = await read_body(headers, receive, self._limits.body_bytes)
        question = read_question(scope["query_string"], headers, body)
        statement = read_statement(question.text, question.settings, question.form)
        began = time.perf_counter()
        result = await self._ask(statement, question, receive)
        if len(result.body) > self._limits.answer_bytes:
            raise Refused(
                500, RESULT_TOO_LARGE,
                f"the answer has {len(result.body):,} bytes, the most is {self._limits.answer_bytes:,}; ask in pages",
            )  # fmt: skip
        await _send(send, 200, _answer_headers(statement, question, result, began), result.body)

    def _long(self) -> int:
        """Statements of the long kind that wait or run: what writes, and slow questions, backups among them."""
        return sum(self.lanes[name].inside for name in (LaneName.SLOW, LaneName.WRITE))

    async def _health(self, receive: Receive) -> bytes:
        job = self.lanes[LaneName.ADMIN].submit(ask_state)
        state = await self._wait(job, receive, ends_with_client=False)
        lanes = {
            str(name): LaneState(lane.width, lane.depth, lane.inside, lane.waiting) for name, lane in self.lanes.items()
        }
        return msgspec.json.encode(health(state, lanes, self._folder, time.monotonic() - self._began))

    async def _ask(self, statement: Statement, question: Question, receive: Receive) -> Result:
        lane = _lane(statement, question.lane)

        def work(connection: Connection, mark: bytes) -> Result:
            return _run(connection, mark, statement, question)

        job = self.lanes[lane].submit(work)
        return await self._wait(job, receive, ends_with_client=isinstance(statement, Read))

    async def _wait(self, job: Job, receive: Receive, ends_with_client: bool) -> Result:
        """The job's result; when the client leaves first, the job is dropped or its question ended.

        What writes is not ended half-way: it has begun, and its sender will ask again.
        """
        left = asyncio.ensure_future(_left(receive))
        try:
            await asyncio.wait((job.answer, left), return_when=asyncio.FIRST_COMPLETED)
            if job.answer.done():
                return job.answer.result()
            job.abandoned = True
            while ends_with_client and not job.answer.done():
                if job.running:
                    await self._kill(job)
                await asyncio.wait((job.answer,), timeout=0.2)
            await asyncio.wait((job.answer,))
            if not job.answer.cancelled():
                job.answer.exception()
            raise Gone
        finally:
            job.abandoned = True
            left.cancel()

    async def _kill(self, job: Job) -> None:
        kill = f"KILL QUERY WHERE startsWith(query, {allowed.quoted(job.mark)}) ASYNC".encode()

        def work(connection: Connection, mark: bytes) -> Result:
            return connection.ask(mark + kill)

        try:
            await self.lanes[LaneName.ADMIN].submit(work).answer
        except (Refused, EngineFault) as error:
            _log.warning("a question whose client left could not be ended yet: %s", error)


def _lanes(engine: Engine, limits: StoreLimits) -> dict[LaneName, Lane]:
    common = {
        "async_insert": 0,
        "max_threads": 1,
        "max_insert_threads": 1,
        "max_result_bytes": 2 * limits.answer_bytes,
        "result_overflow_mode": "throw",
        "session_timezone": "UTC",
    }

    def lane(name: LaneName, width: int, depth: int, memory: int, seconds: int) -> Lane:
        settings = {**common, "max_memory_usage": memory, "max_execution_time": seconds}
        return Lane(name, width, depth, lambda: engine.connect(settings, read_only=name is LaneName.READ))

    small, large = limits.read_memory_bytes, limits.slow_memory_bytes
    return {
        LaneName.READ: lane(LaneName.READ, limits.readers, limits.read_queue, small, limits.read_time_s),
        LaneName.SLOW: lane(LaneName.SLOW, limits.slow, limits.slow_queue, large, limits.slow_time_s),
        LaneName.WRITE: lane(LaneName.WRITE, 1, limits.write_queue, large, limits.write_time_s),
        LaneName.ADMIN: lane(LaneName.ADMIN, 1, limits.admin_queue, small, limits.admin_time_s),
    }


def _one(connection: Connection, mark: bytes) -> Result:
    """Whether the engine answers at all."""
    return connection.ask(mark + b"SELECT 1")


def _lane(statement: Statement, wanted: str) -> LaneName:
    """The lane: by the kind of statement, or the slow one where the caller says so."""
    if wanted in {"", statement.lane}:
        return statement.lane
    if wanted == LaneName.SLOW and not isinstance(statement, InsertBlock):
        return LaneName.SLOW
    raise Refused(400, SYNTAX_ERROR, f"lane {wanted[:40]!r}; this statement goes to {statement.lane} or slow")


def _run(connection: Connection, mark: bytes, statement: Statement, question: Question) -> Result:
    if isinstance(statement, InsertBlock):
        return insert_block(connection, statement, mark, question.params, question.database)
    sql = statement.sql()
    if b";" in sql and connection.statements(sql) != 1:
        raise Refused(400, SYNTAX_ERROR, "several statements in one request, or none that can be parsed; send one")
    form = statement.form if isinstance(statement, Read) else "TabSeparated"
    result = connection.ask(mark + sql, form, question.params, question.database)
    if not isinstance(statement, Read) and connection.temporary:
        forget_temporary(connection)
    return result


async def _left(receive: Receive) -> None:
    while (await receive())["type"] != "http.disconnect":
        pass


def _answer_headers(
    statement: Statement, question: Question, result: Result, began: float
) -> list[tuple[bytes, bytes]]:
    summary = {
        "read_rows": str(result.read_rows),
        "read_bytes": str(result.read_bytes),
        "written_rows": str(result.written_rows),
        "written_bytes": str(result.written_bytes),
        "elapsed_ns": str(int((time.perf_counter() - began) * 1e9)),
    }
    headers = [
        (b"x-clickhouse-summary", msgspec.json.encode(summary)),
        (b"x-clickhouse-timezone", b"UTC"),
        (b"x-clickhouse-query-id", question.id.encode()),
    ]
    if isinstance(statement, Read):
        form = statement.form
        return [*headers, (b"x-clickhouse-format", form.encode()), (b"content-type", allowed.content_type(form))]
    return headers


async def _send_error(send: Send, status: int, code: int, text: str, retry_after_s: int | None = None) -> None:
    """The error as ClickHouse tells it: the number in a header, the text in the body."""
    headers = [(b"content-type", b"text/plain; charset=UTF-8"), (b"x-clickhouse-exception-code", str(code).encode())]
    if retry_after_s is not None:
        headers.append((b"retry-after", str(retry_after_s).encode()))
    if status == 401:
        headers.append((b"www-authenticate", b'Basic realm="store"'))
    body = text if text.startswith("Code: ") else f"Code: {code}. DB::Exception: {text}"
    await _send(send, status, headers, body.encode("utf-8", "replace") + b"\n")


async def _send(send: Send, status: int, headers: list[tuple[bytes, bytes]], body: bytes) -> None:
    length = (b"content-length", str(len(body)).encode())
    await send({"type": "http.response.start", "status": status, "headers": [*headers, length]})
    await send({"type": "http.response.body", "body": body})
