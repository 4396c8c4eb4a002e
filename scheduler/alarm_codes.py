"""What operators can be told of: every alarm with its words and its remedy."""

from __future__ import annotations

from enum import StrEnum


class AlarmCode(StrEnum):
    """A code with its words. `what` has no full stop, `remedy` is one sentence or more."""

    what: str
    remedy: str

    def __new__(cls, code: str, what: str, remedy: str) -> AlarmCode:
        member = str.__new__(cls, code)
        member._value_ = code
        member.what = what
        member.remedy = remedy
        return member

    ACCOUNT_STOPPED = (
        "account-stopped",
        "配信手段が止まっています",
        "「配信手段」の画面で理由を確かめて直してください。急ぐお知らせは別の手段で伝えてください。",
    )
    ACCOUNT_SILENT = (
        "account-silent",
        "送信を待っているのに、受付がありません",
        "通信回線と相手のサーバーの状態を確かめてください。急ぐお知らせは別の手段で伝えてください。",
    )
    ACCOUNT_UNREACHED = (
        "account-unreached",
        "配信手段につながりません",
        "通信回線と相手のサーバーの状態を確かめてください。いま待っているお知らせがなくても、次のお知らせが出ません。",
    )
    QUEUE_OLD = (
        "queue-old",
        "送信待ちが長く続いています",
        "お知らせの画面で残りを確かめてください。急ぐお知らせは別の手段でも伝えてください。",
    )
    QUOTA_HIGH = (
        "quota-high",
        "今月の通数を8割以上使いました",
        "LINEの料金プランか追加メッセージの上限を上げるか、ふだんのお知らせの宛先を絞ってください。",
    )
    SENDER_SILENT = (
        "sender-silent",
        "時刻になったお知らせが出ていません",
        "サービスが動いているか確かめ、再起動してください。直らないときは別の手段で伝えてください。",
    )
    SOURCE_STUCK = (
        "source-stuck",
        "届いた操作を処理できていません",
        "サービスの記録(ログ)を確かめ、再起動してください。住民の登録や変更が反映されていません。",
    )
    WORDS_MISSING = (
        "words-missing",
        "くり返しのお知らせに、1週間以内の日の文がありません",
        "「文の暦」の画面で、その日のことばを入れてください。ないまま当日になると、送らずに保留にします。",
    )
    KEY_ENDS = (
        "key-ends",
        "機械の接続キーの期限が近づいています",
        "「機械からの投稿」の画面で新しいキーを作り、機械に設定してから、古いキーを終わらせてください。",
    )
    FRIENDS_MISSING = (
        "friends-missing",
        "LINEの友だちの一覧にない登録が多すぎます",
        "LINE公式アカウントの管理画面で友だちの数を確かめ、一覧が正しければ kairanban line compare --whatever を実行してください。それまで登録は終わらせません。",
    )
    SELF_TEST_FAILED = (
        "self-test-failed",
        "自己点検に失敗しました",
        "「自己点検」の画面で理由を確かめて直し、「今すぐ自己点検を行う」を押してください。合格すると、この警報は終わります。",
    )
    FIGURES_DIFFER = (
        "figures-differ",
        "登録数の控えが、登録の記録から数え直した数と合いません",
        "報告に使う前に、保守の担当者に知らせてください。登録の記録と配信は影響を受けません。",
    )
    DISK_FULL = (
        "disk-full",
        "ディスクの空きが少なくなりました",
        "古い控えや記録を別の場所に移して空けてください。いっぱいになると配信も止まります。",
    )
    MACHINE_SHORT = (
        "machine-short",
        "機器の余裕が足りず、配信が遅れています",
        "足りないもの(メモリー、ディスクの空き、開けるファイルの数の上限)を増やしてから、サービスを再起動してください。",
    )
    CLOCK_WRONG = (
        "clock-wrong",
        "機器の時計がずれています",
        "時刻合わせ(NTP)の設定を直してください。予約の時刻がずれ、配信が止まることがあります。",
    )


# Only the processes of one machine know of it: its name, or that of the process, is the subject.
OF_ONE_MACHINE = frozenset({AlarmCode.ACCOUNT_UNREACHED, AlarmCode.MACHINE_SHORT, AlarmCode.CLOCK_WRONG})


def find_alarm(code: str) -> tuple[str, str]:
    """The words and the remedy of a stored code; one of another version keeps its code."""
    try:
        found = AlarmCode(code)  # type: ignore[call-arg]
    except ValueError:
        return code, ""
    return found.what, found.remedy
