"""Whether somebody may do this to a notice: asked within the transaction of the act. Raises NotAllowed.

A right that is taken away while the act is under way either ends before it, and refuses it, or after it.
"""

from __future__ import annotations

from sqlalchemy.ext.asyncio import AsyncConnection

from content.notices import notices, searching
from content.notices.notices import NoticeSpec
from content.notices.states import TargetKind
from content.staff import members
from content.staff.rights import Permission
from content.town import Urgency


def permission_to_send(spec: NoticeSpec) -> Permission:
    """What it takes to let a notice go."""
    return Permission.SEND_URGENT if spec.urgency == Urgency.URGENT else Permission.APPROVE


async def require(connection: AsyncConnection, staff: str, notice_id: int, permission: Permission) -> None:
    """Something else than letting it go. A notice that there is not is for the act itself to say."""
    category = await searching.category_of(connection, notice_id)
    if category is not None:
        await members.require(connection, staff, permission, category)


async def require_send(connection: AsyncConnection, staff: str, notice_id: int) -> None:
    """The right to let this notice go, and to speak to everyone when it does."""
    found = await notices.get(connection, notice_id)
    if found is None:
        return
    spec = found.spec
    await members.require(connection, staff, permission_to_send(spec), spec.category)
    if spec.target.kind == TargetKind.EVERYONE:
        await members.require(connection, staff, Permission.EVERYONE, spec.category)
