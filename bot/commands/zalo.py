"""`loaso zalo …`: connecting an Official Account, what is left of the month, groups of a village."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager
from dataclasses import dataclass
from typing import TypeVar
from urllib.parse import parse_qs

from bot.channels.zalo_oa import ZaloOaChannel
from bot.channels.zalo_oa_consent import check_state, code_challenge, code_verifier
from bot.channels.zalo_oa_groups import MAX_FIRST_MEMBERS
from bot.commands import console
from bot.commands.edge import DONE
from bot.commands.opened import Opened, opened
from bot.core.errors import Decision, SendError, UserError
from bot.core.words import AccountState, PersonKind
from bot.db import Tx, accounts, people
from bot.db.tables import Account, Person
from bot.outreach import articles, budgets, roles_admin
from bot.settings import secret_key
from bot.wiring import Wires, capabilities, grants_of, make_zalo_oa, seed_of
from messages import Phrasebook

T = TypeVar("T")

_PRODUCTS = ("gmf100", "gmf50", "gmf10", "gmf1000")


@dataclass(frozen=True, slots=True)
class Official:
    """What a command opens, and the Official Account."""

    opened: Opened
    channel: ZaloOaChannel
    account: Account


@asynccontextmanager
async def _official() -> AsyncIterator[Official]:
    async with opened() as found:
        book = Phrasebook(found.settings.zone)
        channel = make_zalo_oa(Wires(found.settings, found.clock, book, found.database))
        if channel is None:
            raise UserError(
                "No Official Account is set: LOASO_ZALO_OA_APP_ID, LOASO_ZALO_OA_APP_SECRET, LOASO_ZALO_OA_OA_SECRET"
            )
        if (seed := seed_of(found.settings, found.clock)) is not None:
            await grants_of(found.settings, found.database, found.clock).offer(seed)
        async with found.database.write() as tx:
            account = await accounts.ensure(tx, channel.account, found.now)
        try:
            yield Official(found, channel, account)
        finally:
            await channel.close()


def with_official(work: Callable[[Official], Awaitable[T]]) -> T:
    """Run a command's work on the Official Account. Raises `UserError` for what Zalo refuses."""

    async def run() -> T:
        async with _official() as oa:
            try:
                return await work(oa)
            except SendError as error:
                raise UserError(_sentence(error)) from error

    return asyncio.run(run())


def _sentence(error: SendError) -> str:
    said = error.detail or str(error)
    if error.decision in (Decision.RETRY, Decision.BACK_OFF):
        return f"Zalo does not do it right now ({said}): try again in a while"
    if error.decision is Decision.UNKNOWN:
        return f"Zalo did not say whether it was done ({said}): look into its console before you try again"
    return f"Zalo refuses: {said}"


def connect(answer: str | None) -> int:
    """Print what to open, and take the code that came back."""

    async def work(oa: Official) -> str:
        settings = oa.opened.settings
        if answer is None and not oa.channel.callback:
            raise UserError("Set LOASO_PUBLIC_URL first: Zalo sends the administrator back to an address of ours")
        said = answer
        if said is None:
            verifier = code_verifier(secret_key(settings), settings.zalo_oa_app_id or "")
            console.say("1. In Zalo's developer console (Official Account, general settings) save:")
            console.say(f"   callback address  {oa.channel.callback}")
            console.say(f"   code_challenge    {code_challenge(verifier)}")
            console.say("2. Let an administrator of the Official Account open this address within half an hour:")
            console.line(oa.channel.consent_address())
            console.say("3. While 'loaso run' is running, that is all. Otherwise paste the address they were sent to:")
            said = console.ask()
        if not said:
            return ""
        await oa.channel.consented(_code(said, oa))
        async with oa.opened.database.write() as tx:
            await accounts.set_state(tx, oa.account.id, AccountState.ACTIVE)
        return oa.channel.account

    account = with_official(work)
    if account:
        console.say(f"{account} is connected; its tokens are renewed by themselves from now on.")
    return DONE


def _code(said: str, oa: Official) -> str:
    """The code itself, or the whole address to which Zalo sent somebody. Raises `UserError`."""
    said = said.strip()
    if "=" not in said and "/" not in said:
        return said
    query = parse_qs(said.partition("?")[2] or said)
    code, state = query.get("code", [""])[0], query.get("state", [""])[0]
    if state and not check_state(secret_key(oa.opened.settings), state, oa.opened.now):
        raise UserError("That address is older than half an hour, or not ours: run 'loaso zalo connect' again")
    if not code:
        raise UserError("There is no code in that address: the administrator has to agree, and you copy all of it")
    return code


def budget(as_json: bool) -> int:
    """What each account may still do in this month, and what planned runs will use."""

    async def work() -> list[dict[str, object]]:
        async with opened() as found:
            desk = found.desk()
            desk.capabilities.update(capabilities(found.settings, found.clock, found.database))
            async with found.database.write() as tx:
                for key in desk.capabilities:
                    await accounts.ensure(tx, key, found.now)
                standings = await budgets.standings(tx, desk, found.now)
                planned = await budgets.planned(tx, desk, found.now)
                broadcasts = await _broadcasts(tx, found)
            return [_row(one, planned, broadcasts) for one in standings.values()]

    rows = asyncio.run(work())
    if as_json:
        console.result(rows)
    elif not rows:
        console.say("No channel is set.")
    else:
        columns = ("account", "messages", "people", "windows", "paid", "articles", "planned")
        console.table(columns, [[row[name] for name in columns] for row in rows])
    return DONE


async def _broadcasts(tx: Tx, found: Opened) -> dict[str, str]:
    """How many articles were broadcast in this month, by account."""
    most = found.settings.zalo_oa_articles_monthly
    official = await accounts.of_channel(tx, "zalo_oa")
    return {a.key: f"{await articles.used(tx, found.clock, a.id, found.now)} of {most}" for a in official}


def _row(one: budgets.Standing, planned: dict[str, int], broadcasts: dict[str, str]) -> dict[str, object]:
    def share(used: int, limit: int | None) -> str:
        return "-" if limit is None else f"{used} of {limit}"

    return {
        "account": one.account,
        "messages": share(one.messages_used, one.messages),
        "people": share(one.people_known, one.people),
        "windows": "-" if one.windows is None else "{} free, {} paid, {} closed".format(*one.windows),
        "paid": share(one.paid_used, one.paid),
        "articles": broadcasts.get(one.account, "-"),
        "planned": planned.get(one.account.partition(":")[0], 0),
    }


def group_create(unit: str, name: str, asset: str | None, members: list[str]) -> int:
    """A group of the Official Account for a village."""
    if len(members) > MAX_FIRST_MEMBERS:
        raise UserError(f"A group begins with at most {MAX_FIRST_MEMBERS} members: the others join by its address")

    async def work(oa: Official) -> str:
        async with oa.opened.database.read() as tx:
            place = await roles_admin.read_unit(tx, unit)
        group = await oa.channel.groups.create(name, place.name, asset or await _free_asset(oa), members)
        async with oa.opened.database.write() as tx:
            known = await people.contact(tx, oa.account.id, group.id)
            if known is None:
                person, _ = await people.add(
                    tx, oa.account.id, group.id, oa.opened.now, kind=PersonKind.GROUP, title=group.name or name
                )
            else:
                person = await tx.get_one(Person, known.person_id)
            person.unit_id = place.id
        return group.link

    link = with_official(work)
    console.line(link)
    console.say(f"The group of {unit} is there; people join by this address.")
    return DONE


async def _free_asset(oa: Official) -> str:
    """A paid place that no group has yet: a usual one first, the largest last."""
    for product in _PRODUCTS:
        free = await oa.channel.groups.assets(product)
        if free:
            return free[0]
    raise UserError("No paid place for a group is free: buy a GMF package, or name one with --asset")
