"""A local Telegram Bot API server with people in it: for the demo, and for every test that touches the wire."""

from bot.sandbox.telegram.bots import BotAccount
from bot.sandbox.telegram.chats import Chat, Message
from bot.sandbox.telegram.faults import Fault, Faults
from bot.sandbox.telegram.journal import Entry
from bot.sandbox.telegram.judge import Judge
from bot.sandbox.telegram.limits import Limits, Timing
from bot.sandbox.telegram.live import Subscription, WorldEvent
from bot.sandbox.telegram.people import User
from bot.sandbox.telegram.places import Group, PrivateChat
from bot.sandbox.telegram.pressing import CallbackAnswer, CallbackResult, InlineQuestion
from bot.sandbox.telegram.sending import Attachment
from bot.sandbox.telegram.server import TelegramSandbox

__all__ = [
    "Attachment",
    "BotAccount",
    "CallbackAnswer",
    "CallbackResult",
    "Chat",
    "Entry",
    "Fault",
    "Faults",
    "Group",
    "InlineQuestion",
    "Judge",
    "Limits",
    "Message",
    "PrivateChat",
    "Subscription",
    "TelegramSandbox",
    "Timing",
    "User",
    "WorldEvent",
]
