"""The web server: health, metrics and webhooks, on one address."""

from __future__ import annotations

import errno
from collections.abc import Awaitable, Callable, Sequence

from aiohttp import web

from bot.core.channel import Webhook
from bot.core.errors import UserError
from bot.settings import Settings
from bot.web import webhooks as hooks
from bot.web.health import Ask, Health
from bot.web.metrics import Metrics

MAX_BODY = 1024 * 1024
STOP_SECONDS = 5.0
_HEADERS = {
    "Server": "loaso",
    "X-Content-Type-Options": "nosniff",
    "X-Frame-Options": "DENY",
    "Referrer-Policy": "no-referrer",
    "Content-Security-Policy": "default-src 'none'; frame-ancestors 'none'",
    "Cache-Control": "no-store",
}
Handler = Callable[[web.Request], Awaitable[web.StreamResponse]]


def build(webhooks: Sequence[Webhook], health: Ask, metrics: Metrics) -> web.Application:
    """The application without an address, for whoever wants to mount more on it."""
    application = web.Application(client_max_size=MAX_BODY)
    application.on_response_prepare.append(_harden)
    application.add_routes(Health(health, metrics).routes())
    application.add_routes([hooks.route(hook) for hook in webhooks])
    return application


async def _harden(_request: web.Request, response: web.StreamResponse) -> None:
    """A page that needs something else has set it already."""
    for name, value in _HEADERS.items():
        if name == "Server":
            response.headers[name] = value
        else:
            response.headers.setdefault(name, value)


class WebServer:
    """Listens where the settings say; port 0 takes any free one."""

    def __init__(self, settings: Settings, webhooks: Sequence[Webhook], health: Ask, metrics: Metrics) -> None:
        self._host, self._port = settings.http_host, settings.http_port
        self.application = build(webhooks, health, metrics)
        self._runner: web.AppRunner | None = None

    @property
    def url(self) -> str:
        """Where we listen; with port 0 only known after `start`."""
        port = self._port
        if self._runner is not None and self._runner.addresses:
            port = self._runner.addresses[0][1]
        host = {"0.0.0.0": "127.0.0.1", "::": "::1"}.get(self._host, self._host)  # noqa: S104 - compared, not bound
        return f"http://[{host}]:{port}" if ":" in host else f"http://{host}:{port}"

    async def start(self) -> None:
        """Begin to listen. Raises `UserError` when the address cannot be had."""
        runner = web.AppRunner(
            self.application,
            access_log=None,
            handle_signals=False,
            shutdown_timeout=STOP_SECONDS,
            keepalive_timeout=75,
            lingering_time=0,
            auto_decompress=False,
        )
        await runner.setup()
        try:
            await web.TCPSite(runner, self._host, self._port).start()
        except OSError as error:
            await runner.cleanup()
            raise UserError(self._cannot_listen(error)) from error
        self._runner = runner

    def _cannot_listen(self, error: OSError) -> str:
        where = f"{self._host}:{self._port}"
        if error.errno == errno.EADDRINUSE:
            return f"Another program already listens on {where}: stop it, or set LOASO_HTTP_PORT to a free port"
        if error.errno == errno.EACCES:
            return f"We may not listen on {where}: set LOASO_HTTP_PORT to a port above 1023"
        return f"We cannot listen on {where} ({error.strerror}): correct LOASO_HTTP_HOST and LOASO_HTTP_PORT"

    async def stop(self) -> None:
        """Listen no more; requests that are being answered finish first."""
        runner, self._runner = self._runner, None
        if runner is not None:
            await runner.cleanup()
