"""The words of rights, roles and who acts."""

from __future__ import annotations

from content.staff.rights import Permission

PERMISSION_WORDS: dict[str, str] = {
    Permission.SEE: "見る",
    Permission.WRITE: "作成",
    Permission.APPROVE: "承認・配信",
    Permission.SEND_URGENT: "緊急発信",
    Permission.EVERYONE: "登録者全員への配信",
    Permission.OPEN_ADDRESS: "宛先の閲覧",
    Permission.PLAN: "計画と評価表",
    Permission.ADMINISTER: "管理",
}
ROLE_WORDS = {
    "viewer": "閲覧",
    "planner": "計画と評価表",
    "editor": "作成・配信",
    "administrator": "管理者",
    "": "個別の権限",
}
# Who did what nobody did.
BY_ITSELF = "(自動)"


def role_words(role: str) -> str:
    return ROLE_WORDS[role]


def actor_words(actor: str) -> str:
    """Who stands in the audit trail."""
    return BY_ITSELF if actor == "scheduler" else actor
