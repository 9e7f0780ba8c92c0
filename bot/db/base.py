"""What all tables share: names of constraints, and how each type is kept."""

from __future__ import annotations

from datetime import datetime
from typing import Any, ClassVar

import sqlalchemy as sa
from sqlalchemy.orm import DeclarativeBase

from bot.core.errors import Reason
from bot.core.events import ChatKind
from bot.core.words import (
    AccountState,
    CampaignKind,
    CampaignState,
    ContactState,
    DeliveryState,
    ItemKind,
    Lane,
    PersonKind,
    PersonStatus,
    RelayKind,
    RoleName,
    RunState,
    TargetGroup,
    UnitKind,
)
from bot.db.types import Coded, Instant

BigId = sa.BigInteger().with_variant(sa.Integer(), "sqlite")
Json = sa.JSON(none_as_null=True)


class Base(DeclarativeBase):
    """Every constraint has a name, so that a later migration can speak of it."""

    metadata = sa.MetaData(
        naming_convention={
            "ix": "%(table_name)s_by_%(column_0_N_name)s",
            "uq": "%(table_name)s_%(column_0_N_name)s_key",
            "fk": "%(table_name)s_%(column_0_name)s_fkey",
            "pk": "%(table_name)s_pkey",
        }
    )
    type_annotation_map: ClassVar[dict[Any, Any]] = {
        datetime: Instant(),
        dict[str, Any]: Json,
        list[Any]: Json,
        str: sa.Text(),
        AccountState: Coded(AccountState),
        UnitKind: Coded(UnitKind),
        PersonKind: Coded(PersonKind),
        PersonStatus: Coded(PersonStatus),
        TargetGroup: Coded(TargetGroup),
        ContactState: Coded(ContactState),
        ChatKind: Coded(ChatKind),
        RoleName: Coded(RoleName),
        ItemKind: Coded(ItemKind),
        CampaignKind: Coded(CampaignKind),
        CampaignState: Coded(CampaignState),
        RunState: Coded(RunState),
        DeliveryState: Coded(DeliveryState),
        Lane: Coded(Lane),
        RelayKind: Coded(RelayKind),
        Reason: Coded(Reason),
    }
