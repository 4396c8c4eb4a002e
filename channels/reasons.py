"""Why something was not sent, was deferred, or is not known to have arrived: every reason that the ledger can hold.

A reason is its code in the database, what happened in words for staff, and what to do next: all three
stand here and nowhere else. `content` writes a few of these codes itself and knows them as plain text;
a test compares. Codes stay in ledgers for years, so one that is not used any more keeps its words.
"""

from __future__ import annotations

from enum import StrEnum

# Temporary ones and those of an account. What a server says of one recipient for good is not among them.
_PASSING = (
    "authentication connect_timeout connection_lost credentials domain_limit domain_unreachable foreign_answer "
    "not_found post_account post_credit post_token quota rate receiver_busy redirected sender_refused server_busy "
    "server_error temporarily_refused tls too_late unreachable unreadable"
)
_CAN_PASS = frozenset(_PASSING.split())


class Reason(StrEnum):
    """A code with its words. `what` has no full stop, `remedy` is one sentence or more.

    `can_pass`: it lies in the moment or in the account, so that the same recipients may be tried again later.
    """

    what: str
    remedy: str
    can_pass: bool

    def __new__(cls, code: str, what: str, remedy: str) -> Reason:
        member = str.__new__(cls, code)
        member._value_ = code
        member.what = what
        member.remedy = remedy
        member.can_pass = code in _CAN_PASS
        return member

    ACCOUNT_GONE = (
        "account_gone",
        "アカウントが、町の設定からなくなりました",
        "町の設定を確かめ、必要なら新しいお知らせを出してください。",
    )
    ADDRESS_NEEDS_UTF8 = (
        "address_needs_utf8",
        "メールサーバーが、英数字でない宛先に対応していません",
        "メールサーバーの SMTPUTF8 を有効にするか、登録された方に別のアドレスでの登録をお願いしてください。",
    )
    ADDRESS_UNREADABLE = (
        "address_unreadable",
        "登録された宛先を読み取れません",
        "データベースの宛先が、ほかの登録のものと入れ替わったか壊れています。管理者に、日時とお知らせの番号を伝えてください。",
    )
    AUTHENTICATION = (
        "authentication",
        "メールサーバーにログインできません",
        "メールサーバーのユーザー名とパスワードの設定を直すよう、管理者に伝えてください。",
    )
    CANNOT_RENDER = (
        "cannot_render",
        "文面がこの配信手段に合いません",
        "文面を直した新しいお知らせを出してください。",
    )
    CONFLICT = (
        "conflict",
        "LINEから確認できない応答がありました",
        "LINEの管理画面で配信数を確かめてください。",
    )
    CONNECT_TIMEOUT = (
        "connect_timeout",
        "接続が時間内にできませんでした",
        "相手のサーバーの状態を確かめてください。",
    )
    CONNECTION_LOST = (
        "connection_lost",
        "接続が途中で切れました",
        "通信回線とメールサーバーの状態を確かめてください。",
    )
    CONTENT_REFUSED = (
        "content_refused",
        "メールの内容が断られました",
        "文中のURLなどが迷惑メールと判定された可能性があります。文面を見直してください。",
    )
    CORRECTED = (
        "corrected",
        "訂正か取り消しを出したため、元の文面では送っていません",
        "訂正のときは、代わりに訂正のお知らせを送っています。対応は不要です。",
    )
    CREDENTIALS = (
        "credentials",
        "LINEのアクセストークンが使えません",
        "チャネルアクセストークンを発行し直して設定するよう、管理者に伝えてください。",
    )
    DEFERRED = ("deferred", "あとで送り直します", "対応は不要です。")
    DOMAIN_LIMIT = (
        "domain_limit",
        "この宛先のドメインへの送信の順番が、期限までに回ってきませんでした",
        "ドメインごとの上限（速さ・同時接続）を見直すよう、管理者に伝えてください。",
    )
    DOMAIN_UNREACHABLE = (
        "domain_unreachable",
        "この宛先のドメインが応答しません",
        "受信側の障害かもしれません。大事なお知らせは別の手段でも伝えてください。",
    )
    EXPIRED = (
        "expired",
        "有効期限を過ぎたため、送りませんでした",
        "内容が今も正しければ、新しいお知らせを出してください。",
    )
    FOREIGN_ANSWER = (
        "foreign_answer",
        "送り先ではない相手から応答がありました",
        "通信の途中の機器が代わりに答えています。回線の認証画面や中継サーバーの設定を確かめるよう、管理者に伝えてください。届いたかどうか分からない分は、しばらく送り直します。Webhookでは、受信側がいつもHTMLのページで答えていないかも、相手に確かめてください。",
    )
    FOREIGN_RECIPIENTS = (
        "foreign_recipients",
        "LINEが宛先のIDを続けて断りました",
        "宛先のIDが別のアカウントのものでないか確かめるよう、管理者に伝えてください。",
    )
    GIVEN_UP = (
        "given_up",
        "職員が残りの配信をやめました",
        "必要なら、別の手段を選んで新しいお知らせを出してください。",
    )
    GONE = (
        "gone",
        "受信側が受信をやめています",
        "送り先のシステムが、この受け口はもうないと答えました。対応は不要です。",
    )
    IMAGE_REFUSED = (
        "image_refused",
        "投稿先が画像を受け付けませんでした",
        "公開ページの絵が外から見えるか、管理者に確かめてもらってください。",
    )
    INTERNAL = (
        "internal",
        "システムの内部でエラーが起きました",
        "管理者に、日時とお知らせの番号を伝えてください。急ぐときは別の手段で伝えてください。",
    )
    INVALID_ADDRESS = (
        "invalid_address",
        "宛先の形が正しくありません",
        "名簿の取り込み元の宛先を直して、登録し直してもらってください。",
    )
    INVALID_MESSAGE = (
        "invalid_message",
        "LINEが内容を受け付けませんでした",
        "文面を見直してください。急ぐときは別の手段で伝えてください。",
    )
    INVALID_RECIPIENT = (
        "invalid_recipient",
        "LINEにない宛先です",
        "LINEをやめたか、友だちでなくなった登録です。対応は不要です。",
    )
    INVALID_REQUEST = (
        "invalid_request",
        "LINEが内容を受け付けませんでした",
        "管理者に伝えてください。急ぐときは別の手段で伝えてください。",
    )
    MAIL_TOO_LARGE = (
        "mail_too_large",
        "メールが大きすぎます",
        "本文を短くするか、メールサーバーの上限を上げるよう、管理者に伝えてください。",
    )
    MAILBOX_UNKNOWN = (
        "mailbox_unknown",
        "存在しないメールアドレスです",
        "アドレスが変わった可能性があります。対応は不要ですが、続く宛先は登録の終了を検討してください。",
    )
    NARROWING = (
        "narrowing",
        "LINEが断った宛先を探しています",
        "対応は不要です。残りの宛先には、探しながら送っています。",
    )
    NO_ANSWER = (
        "no_answer",
        "送ったあとの応答がありません",
        "届いたかどうか分かりません。大事なお知らせは、防災無線や電話など別の手段でも伝えてください。",
    )
    NOT_FOUND = ("not_found", "LINEのAPIに届きません", "接続先の設定を確かめるよう、管理者に伝えてください。")
    POST_ACCOUNT = (
        "post_account",
        "投稿先のアカウントが止められているか、投稿する権限がありません",
        "投稿先の画面で、アカウントの停止や審査、権限を確かめるよう、管理者に伝えてください。",
    )
    POST_CREDIT = ("post_credit", "Xの前払いの残高がありません", "Xの開発者の画面で補充してください。")
    POST_DUPLICATE = (
        "post_duplicate",
        "同じ文の投稿がすでにあると断られました",
        "投稿先の画面で確かめ、出ていなければ文面を少し変えて出してください。",
    )
    POST_IN_DOUBT = (
        "post_in_doubt",
        "投稿できたか分からず、投稿先に確かめる方法もありません",
        "投稿先の画面で、出ているか確かめてください。二重になるのを防ぐため、自動では出し直しません。",
    )
    POST_REFUSED = ("post_refused", "投稿先が内容を受け付けませんでした", "文面を見直してください。")
    POST_TOKEN = (
        "post_token",
        "投稿先のアクセストークンか秘密のURLが使えません",
        "発行し直して設定するよう、管理者に伝えてください。",
    )
    PRIVATE_ADDRESS = (
        "private_address",
        "受信側が内部のネットワークにあります",
        "受信側のURLを確かめてください。",
    )
    QUOTA = (
        "quota",
        "LINEの今月の配信数の上限のため、送れませんでした",
        "LINEの料金プランを上げるか、メールなど別の手段で伝えてください。",
    )
    RATE = ("rate", "相手のサーバーが混み合っています", "時間をおいて、もう一度お知らせを出してください。")
    RECEIVER_BUSY = (
        "receiver_busy",
        "受信側が、間をあけるよう求めています",
        "受信側のサーバーの状態を、相手に確かめてください。",
    )
    REDIRECTED = (
        "redirected",
        "LINEのAPIの設定が違います",
        "接続先の設定を直すよう、管理者に伝えてください。",
    )
    REFUSED = (
        "refused",
        "受信側に断られました",
        "受信拒否の設定や、受信箱がいっぱいの可能性があります。問い合わせがあれば、設定を案内してください。",
    )
    SENDER_REFUSED = (
        "sender_refused",
        "差出人が受け付けられません",
        "差出人アドレスの設定とSPFなどの登録を確かめるよう、管理者に伝えてください。",
    )
    SERVER_BUSY = (
        "server_busy",
        "メールサーバーが受け付けませんでした",
        "時間をおいて、もう一度お知らせを出してください。",
    )
    SERVER_ERROR = (
        "server_error",
        "相手のサーバーでエラーが起きました",
        "届いたかどうか分かりません。大事なお知らせは別の手段でも伝えてください。",
    )
    STOPPED = (
        "stopped",
        "職員が配信を止めました",
        "文面に誤りがあったときは訂正を、まちがえて送ったときは取り消しを知らせてください。",
    )
    SUPPRESSED = (
        "suppressed",
        "メールが続けて戻ってきた宛先なので、送っていません",
        "本人が登録を確かめ直すか、「届かない方」の画面で職員が送信を再開すると、また送ります。大事なお知らせは別の手段でも伝えてください。",
    )
    TARGET_GONE = (
        "target_gone",
        "分野か配信対象が、町の設定からなくなりました",
        "町の設定を確かめ、必要なら新しいお知らせを出してください。",
    )
    TEMPORARILY_REFUSED = (
        "temporarily_refused",
        "受信側が今は受け取れません",
        "受信箱がいっぱいなどの理由です。続く宛先には、設定を確かめてもらってください。",
    )
    TLS = (
        "tls",
        "メールサーバーと暗号化通信ができません",
        "メールサーバーの設定を直すよう、管理者に伝えてください。",
    )
    TOO_LARGE = ("too_large", "内容が大きすぎます", "文面を短くした新しいお知らせを出してください。")
    TOO_LATE = (
        "too_late",
        "止まっていた時間が長く、送りませんでした",
        "内容が今も正しいか確かめ、必要なら新しいお知らせを出してください。",
    )
    UNREACHABLE = (
        "unreachable",
        "相手のサーバーに接続できません",
        "通信回線とサーバーの状態を確かめてください。",
    )
    UNREADABLE = (
        "unreadable",
        "相手の応答を読み取れません",
        "時間をおいても直らないときは、管理者に伝えてください。",
    )
    UNSUBSCRIBED = ("unsubscribed", "登録が終わっています", "配信の直前に登録を終えました。対応は不要です。")


def find_reason(code: str) -> Reason:
    """The reason of a code that a ledger holds; older versions wrote the names of unexpected errors."""
    try:
        return Reason(code)  # type: ignore[call-arg]
    except ValueError:
        return Reason.INTERNAL
