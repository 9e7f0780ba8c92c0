"""A local Zalo Bot platform with people in it: for the demo, and for every test that touches the wire."""

from bot.sandbox.zalo_bot.bots import ZaloBotAccount
from bot.sandbox.zalo_bot.chats import Chat, Message
from bot.sandbox.zalo_bot.faults import Fault, Faults
from bot.sandbox.zalo_bot.journal import Entry, Journal
from bot.sandbox.zalo_bot.oddities import Oddities
from bot.sandbox.zalo_bot.people import ZaloBotGroup, ZaloBotUser
from bot.sandbox.zalo_bot.quota import Limits
from bot.sandbox.zalo_bot.server import ZaloBotSandbox

__all__ = [
    "Chat",
    "Entry",
    "Fault",
    "Faults",
    "Journal",
    "Limits",
    "Message",
    "Oddities",
    "ZaloBotAccount",
    "ZaloBotGroup",
    "ZaloBotSandbox",
    "ZaloBotUser",
]
