"""What the bot does when a person says something: one file a thing. The order of `ROUTERS` is the order of trying."""

from handlers import (
    approvals,
    broadcast,
    broadcast_confirm,
    event_compose,
    events,
    faq,
    invites,
    membership,
    menu,
    optout,
    profile,
    settings,
    staff_flow,
    subscribe,
    tips,
)
from handlers.routing import Router

ROUTERS: tuple[Router, ...] = (
    optout.router,
    membership.router,
    membership.groups,
    staff_flow.router,
    staff_flow.in_groups,
    broadcast.router,
    broadcast_confirm.router,
    approvals.router,
    event_compose.router,
    event_compose.entry,
    events.router,
    broadcast.entry,
    subscribe.router,
    tips.router,
    invites.router,
    settings.router,
    menu.router,
    profile.router,
    faq.router,
    faq.closing,
)
