"""A local Zalo Official Account platform with people in it: for the demo, and for every test that touches the wire."""

from bot.sandbox.zalo_oa.articles import Article
from bot.sandbox.zalo_oa.broadcasts import Broadcast
from bot.sandbox.zalo_oa.contents import Button, Content, Received
from bot.sandbox.zalo_oa.events import mac
from bot.sandbox.zalo_oa.faults import Fault, Faults
from bot.sandbox.zalo_oa.groups import Group, GroupAsset
from bot.sandbox.zalo_oa.journal import CallEntry, EventEntry, Journal
from bot.sandbox.zalo_oa.limits import Limits, Timing
from bot.sandbox.zalo_oa.methods import CS_PATH, GROUPS_PATH
from bot.sandbox.zalo_oa.oauth import PERMISSION_PATH, TOKEN_PATH, challenge_of
from bot.sandbox.zalo_oa.people import OaUser, Profile
from bot.sandbox.zalo_oa.server import ZaloOaSandbox

__all__ = [
    "CS_PATH",
    "GROUPS_PATH",
    "PERMISSION_PATH",
    "TOKEN_PATH",
    "Article",
    "Broadcast",
    "Button",
    "CallEntry",
    "Content",
    "EventEntry",
    "Fault",
    "Faults",
    "Group",
    "GroupAsset",
    "Journal",
    "Limits",
    "OaUser",
    "Profile",
    "Received",
    "Timing",
    "ZaloOaSandbox",
    "challenge_of",
    "mac",
]
