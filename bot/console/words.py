"""The words of the console: states, languages, and for each reason of refusal what to do next."""

from __future__ import annotations

from content.ledger.account_outages import AccountOutage
from content.notices.notices import NoticeSpec
from content.town import Mode, Town, Urgency
from scheduler.quota import Shortage
from scheduler.words import CHANNEL_NAMES, MODE_NAMES, URGENCY_NAMES

LANGUAGE_NAMES = {"ja": "日本語", "ja-easy": "やさしい日本語", "en": "英語"}

# state of content.ledger.tallies.progress_state → (word, what it means)
STATES = {
    "draft": ("下書き", "まだ送っていません。確認画面で送信できます。"),
    "scheduled": ("予約", "決めた日時になったら送ります。"),
    "waiting": ("まもなく配信", "承認されました。配信を始めるところです。"),
    "held": ("保留", "自動では送りません。職員の判断を待っています。"),
    "cancelled": ("取消", "送らずに取り消しました。"),
    "planning": ("配信中", "宛先をまとめながら送っています。"),
    "sending": ("配信中", "送っています。"),
    "recurring": ("くり返し中", "決めた日が来るたびに送ります。"),
    "ended": ("終了", "くり返しは終わりの日まで済みました。"),
    "finished": ("配信済み", "すべて受け付けられました。"),
    "partly": ("一部不達", "送り終えましたが、受け付けられなかった宛先があります。"),
    "nobody": ("宛先なし", "当てはまる登録がなかったため、だれにも送っていません。"),
}

# reason → (what happened, what to do next)
REASONS = {
    "account_gone": (
        "アカウントが、町の設定からなくなりました",
        "町の設定を確かめ、必要なら新しいお知らせを出してください。",
    ),
    "authentication": (
        "メールサーバーにログインできません",
        "メールサーバーのユーザー名とパスワードの設定を直すよう、管理者に伝えてください。",
    ),
    "cannot_render": ("文面がこの配信手段に合いません", "文面を直した新しいお知らせを出してください。"),
    "connect_timeout": ("接続が時間内にできませんでした", "相手のサーバーの状態を確かめてください。"),
    "connection_lost": ("接続が途中で切れました", "通信回線とメールサーバーの状態を確かめてください。"),
    "conflict": ("LINEから確認できない応答がありました", "LINEの管理画面で配信数を確かめてください。"),
    "content_refused": (
        "メールの内容が断られました",
        "文中のURLなどが迷惑メールと判定された可能性があります。文面を見直してください。",
    ),
    "credentials": (
        "LINEのアクセストークンが使えません",
        "チャネルアクセストークンを発行し直して設定するよう、管理者に伝えてください。",
    ),
    "domain_limit": (
        "この宛先のドメインへの送信の順番が、期限までに回ってきませんでした",
        "ドメインごとの上限（速さ・同時接続）を見直すよう、管理者に伝えてください。",
    ),
    "domain_unreachable": (
        "この宛先のドメインが応答しません",
        "受信側の障害かもしれません。大事なお知らせは別の手段でも伝えてください。",
    ),
    "given_up": (
        "職員が残りの配信をやめました",
        "必要なら、別の手段を選んで新しいお知らせを出してください。",
    ),
    "expired": (
        "有効期限を過ぎたため、送りませんでした",
        "内容が今も正しければ、新しいお知らせを出してください。",
    ),
    "unsubscribed": (
        "登録が終わっています",
        "配信の直前に登録を終えました。対応は不要です。",
    ),
    "gone": (
        "受信側が受信をやめています",
        "送り先のシステムが、この受け口はもうないと答えました。対応は不要です。",
    ),
    "invalid_address": (
        "宛先の形が正しくありません",
        "名簿の取り込み元の宛先を直して、登録し直してもらってください。",
    ),
    "invalid_message": (
        "LINEが内容を受け付けませんでした",
        "文面を見直してください。急ぐときは別の手段で伝えてください。",
    ),
    "invalid_recipient": (
        "LINEにない宛先です",
        "LINEをやめたか、友だちでなくなった登録です。対応は不要です。",
    ),
    "invalid_request": (
        "LINEが内容を受け付けませんでした",
        "管理者に伝えてください。急ぐときは別の手段で伝えてください。",
    ),
    "mail_too_large": (
        "メールが大きすぎます",
        "本文を短くするか、メールサーバーの上限を上げるよう、管理者に伝えてください。",
    ),
    "mailbox_unknown": (
        "存在しないメールアドレスです",
        "アドレスが変わった可能性があります。対応は不要ですが、続く宛先は登録の終了を検討してください。",
    ),
    "no_answer": (
        "送ったあとの応答がありません",
        "届いたかどうか分かりません。大事なお知らせは、防災無線や電話など別の手段でも伝えてください。",
    ),
    "private_address": ("受信側が内部のネットワークにあります", "受信側のURLを確かめてください。"),
    "quota": (
        "LINEの今月の配信数の上限のため、送れませんでした",
        "LINEの料金プランを上げるか、メールなど別の手段で伝えてください。",
    ),
    "rate": ("相手のサーバーが混み合っています", "時間をおいて、もう一度お知らせを出してください。"),
    "receiver_busy": (
        "受信側が、間をあけるよう求めています",
        "受信側のサーバーの状態を、相手に確かめてください。",
    ),
    "redirected": ("LINEのAPIの設定が違います", "接続先の設定を直すよう、管理者に伝えてください。"),
    "refused": (
        "受信側に断られました",
        "受信拒否の設定や、受信箱がいっぱいの可能性があります。問い合わせがあれば、設定を案内してください。",
    ),
    "sender_refused": (
        "差出人が受け付けられません",
        "差出人アドレスの設定とSPFなどの登録を確かめるよう、管理者に伝えてください。",
    ),
    "server_busy": (
        "メールサーバーが受け付けませんでした",
        "時間をおいて、もう一度お知らせを出してください。",
    ),
    "server_error": (
        "相手のサーバーでエラーが起きました",
        "届いたかどうか分かりません。大事なお知らせは別の手段でも伝えてください。",
    ),
    "temporarily_refused": (
        "受信側が今は受け取れません",
        "受信箱がいっぱいなどの理由です。続く宛先には、設定を確かめてもらってください。",
    ),
    "tls": (
        "メールサーバーと暗号化通信ができません",
        "メールサーバーの設定を直すよう、管理者に伝えてください。",
    ),
    "target_gone": (
        "分野か配信対象が、町の設定からなくなりました",
        "町の設定を確かめ、必要なら新しいお知らせを出してください。",
    ),
    "too_late": (
        "止まっていた時間が長く、送りませんでした",
        "内容が今も正しいか確かめ、必要なら新しいお知らせを出してください。",
    ),
    "too_large": ("内容が大きすぎます", "文面を短くした新しいお知らせを出してください。"),
    "unreachable": ("相手のサーバーに接続できません", "通信回線とサーバーの状態を確かめてください。"),
}


# What mends it when an account can send no more this month.
MORE_QUOTA = (
    "LINEの料金プランか追加メッセージの上限を上げるか、宛先を絞ってください。"
    "急ぐときは、メールや防災無線など別の手段で伝えてください。"
)


def approval_word(spec: NoticeSpec) -> str:
    """What a person types to send: another word for each kind, so that habit cannot send an alarm."""
    if spec.mode != Mode.LIVE:
        return f"{MODE_NAMES[spec.mode]}配信"
    if spec.rule:
        return "くり返し配信"
    return "緊急配信" if spec.urgency == Urgency.URGENT else "配信"


def state_words(state: str, spec: NoticeSpec) -> tuple[str, str]:
    """The word for a state and what it means."""
    if state == "scheduled" and spec.at is None:
        state = "waiting"
    return STATES.get(state, (state, ""))


def category_words(town: Town, key: str) -> str:
    return town.category[key].name() if key in town.category else key


def channel_words(key: str) -> str:
    return CHANNEL_NAMES.get(key, key)


def language_words(tag: str) -> str:
    return LANGUAGE_NAMES.get(tag, tag)


def mode_words(mode: str) -> str:
    return MODE_NAMES.get(mode, mode)


def urgency_words(urgency: str) -> str:
    return URGENCY_NAMES.get(urgency, urgency)


def account_words(town: Town, key: str) -> str:
    """The way out that an account is, as staff call it."""
    return channel_words(town.account[key].channel) if key in town.account else key


def shortage_words(item: Shortage) -> str:
    """How many messages are left and how many it takes."""
    reserved = f"(うち{item.reserved:,}通は、配信中のほかのお知らせの分)" if item.reserved else ""
    return f"今月あと{item.left:,}通{reserved}のところ、このお知らせには{item.needed:,}通が必要です。"


def outage_words(town: Town, item: AccountOutage) -> tuple[str, str]:
    """The headline of the banner and what to do."""
    what, remedy = reason_words(item.reason)
    if item.reason == "quota":
        return f"{account_words(town, item.account)}:{what}", MORE_QUOTA
    waiting = f"待っている{item.waiting:,}件は、直りしだい自動で送ります。"
    return f"{account_words(town, item.account)}で送れません:{what}", remedy + waiting


def reason_words(code: str) -> tuple[str, str]:
    """What happened and what to do next; an unknown code is shown as it is."""
    return REASONS.get(code, (code, "このコードを管理者に伝えてください。"))
