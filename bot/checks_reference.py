"""The page of the checks in the manual, made from the checks themselves."""

from __future__ import annotations

from content.check_rules import CHECKS, CONFUSABLES, Duty, Level
from content.notices.checks.terms import ABOLISHED

LEVELS = {Level.BLOCKING: "送れない", Level.WARNING: "確認が要る", Level.NOTE: "表示だけ"}
HEAD = """# 点検一覧 / Checks

この頁は `kairanban config checks` が作ります。手で直さないでください。

お知らせは、保存するときと承認するときに点検されます。管理画面でも、コマンドでも、機械からでも同じです。

- **送れない**(blocking): 直すまで送れません。
- **確認が要る**(warning): 画面では「確認しました」に印を付け、コマンドでは `--accept CODE` を付けます。監査の記録に残ります。
- **表示だけ**(note): 知らせるだけで、止めません。

| コード | 既定 | 何を見つけるか |
|---|---|---|
"""
TAIL = """
## 町の設定で変える
町の設定ファイルの `[checks]` に書きます。「変えられない」と書いたものを除いて、どのコードも
`blocking`、`warning`、`note`、`off` のどれかにできます。

```toml
[checks]
levels = { night = "warning", phone = "off" }
# 使わなくなった言い方 → 今の言い方
abolished = { "旧公民館" = "交流センター" }
# 職員のいる時間(0 は月曜日。祝日はいない日)
duty = { opens = "08:30", closes = "17:15", weekdays = [0, 1, 2, 3, 4] }

# after の言葉の後に wrong があれば right ではないかと尋ねる(after が空なら、どこにあっても)
[[checks.confusables]]
wrong = "推進"
right = "防止"
after = ["鳥獣害"]
```

"""


def reference() -> str:
    """Markdown with one row per code, and what is looked for by default."""
    rows = "".join(
        f"| `{item.code}` | {LEVELS[item.level]}{'・変えられない' if item.fixed else ''} | {item.meaning} |\n"
        for item in CHECKS.values()
    )
    duty = Duty()
    known = "".join(f"- 「{term}」→「{today}」\n" for term, today in ABOLISHED.items())
    pairs = "".join(f"- 「{_pair(item.after, item.wrong)}」→「{item.right}」\n" for item in CONFUSABLES)
    return (
        f"{HEAD}{rows}{TAIL}職員のいる時間の既定は、平日の {duty.opens}〜{duty.closes} です。\n\n"
        f"## はじめから知っている、使われなくなった用語\n{known}\n## はじめから知っている取り違え\n{pairs}"
    )


def _pair(after: tuple[str, ...], wrong: str) -> str:
    return f"{'、'.join(after[:3])}など+{wrong}" if after else wrong
