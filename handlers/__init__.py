"""What the bot does when a person says something: one file a thing. The order of `ROUTERS` is the order of trying."""

from handlers.routing import Router

ROUTERS: tuple[Router, ...] = ()
