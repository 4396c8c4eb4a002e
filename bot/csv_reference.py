"""The page of the manual about the file of registrations, made from the names that an import takes."""

from __future__ import annotations

from content.register.history import HISTORY_COLUMNS
from content.register.office_rows import CHANNELS, FORM, HEADINGS, LANGUAGES, LATER, PACES, REASON

HEAD = f"""# 登録者のCSV / File of registrations

この頁は `kairanban config csv` が作ります。手で直さないでください。

`kairanban subscribers import FILE` が読むファイルです。見本は [examples/subscribers.csv](../examples/subscribers.csv)。

- 文字コードはUTF-8(BOMがあってもよい)かCP932(Excelの「CSV」)。列の順は自由で、見出しは下のどれでもかまいません。
- 空の行と、見出しのない余分な空の列は読み飛ばします。Excelの `="0901"` は中の文字として読みます。
- 一つの欄にいくつも書くときは `;` `；` `、` か改行で区切ります。種類・地区・グループは、記号でも日本語の名前でもかまいません。
- 日付は `2019-04-01`、`2019/4/1`、`令和元年5月1日`、`H31.4.1` など。時刻が要るときは `2019-04-01T09:30:00`(日本時間)。
- まず `--dry-run` で確かめます。`--skip-bad 残り.csv` は、取り込めない行を「{REASON}」の列を付けて別のファイルに書き、ほかを取り込みます。
- どちらも付けなければ、すべて取り込むか、何も取り込まないかのどちらかです。登録済みの宛先は、自分で選んだ設定のままです。
- `--mode update` は、登録済みの宛先の設定を、書いてある欄だけ変えます。空の欄はそのままで、空にするときは「なし」と書きます。新しくは登録しません。
- `--mode end` は、書いてある宛先の登録だけを終了します(書いていない宛先はそのままです)。件数を示して尋ね、`--yes` で尋ねません。
  どちらも少しずつ書き、途中で止まったときは同じファイルをもう一度取り込めば残りが済みます。

| 列 | 見出しに使える言葉 | 書くこと |
|---|---|---|
"""
MEANINGS = {
    "channel": "配信手段。見出しが「メールアドレス」の列があれば、なくてもよい",
    "address": "宛先。LINEは `U` と32けたの英数字、メールはアドレス、Webhookは URL と秘密",
    "categories": "選んだ種類。空は、命に関わる種類だけ",
    "areas": "選んだ地区。空は町全体",
    "language": "ことば。空は日本語",
    "birth_months": "子どもの生まれ月(`2021-04`、`令和3年4月`)",
    "groups": "グループ",
    "registered_at": "登録した日。空は取り込んだとき",
    "quiet_hours": "おやすみ時間(`21-7`)。`none` でなし、空は町の時間",
    "paused_until": "この日まで、命に関わるものだけ",
    "pace": "受け取り方",
    "number": "`export` が書く番号。過去の数をそのまま戻すためのもの",
    "state": "`export` が書く状態(`active` `left` `erased`)",
    "events": "`export` が書く登録の記録(JSON)",
}


def reference() -> str:
    """Markdown with one row per column."""
    columns = (*FORM, *LATER, *HISTORY_COLUMNS)
    return HEAD + "".join(
        f"| `{name}` | {_also(name)} | {MEANINGS[name]}{_words(name)} |\n" for name in columns
    )


def _also(name: str) -> str:
    return "、".join(HEADINGS[name]) or "—"


def _words(name: str) -> str:
    """The values that there are, and what else may stand for them."""
    known = {"channel": CHANNELS, "language": LANGUAGES, "pace": PACES}.get(name)
    if known is None:
        return ""
    return "。" + "、".join(f"`{key}`({'、'.join(names.values())})" for key, names in known.items())
