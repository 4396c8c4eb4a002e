"""What the purposes of keys are called; those that are rotated."""

from __future__ import annotations

from content.key_ring import KeyPurpose

WORDS = {
    KeyPurpose.SESSIONS: "職員のログイン",
    KeyPurpose.LINKS: "住民へのリンク",
    KeyPurpose.AUDIT: "操作の記録の鎖",
    KeyPurpose.ALERTS: "警報(CAP)の署名",
}
