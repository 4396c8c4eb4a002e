"""What residents read when they want less: fewer topics, a pause, an end; and what is stored about them."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class LeavingWords:
    title: str
    fewer: str
    only: str
    pause: str
    morning: str
    at_once: str
    morning_set: str
    at_once_set: str
    pause_ask: str
    days: str
    stop: str
    stop_warning: str
    stop_yes: str
    stopped: str
    undo: str
    paused: str
    paused_open: str
    resume: str
    resumed: str
    block: str
    still_stopped: str
    keep: str
    mine: str
    mine_hint: str
    export: str
    erase: str
    erase_warning: str
    erase_yes: str
    erased: str
    registered: str
    groups: str
    quiet: str
    pace: str
    read: str
    events: str
    kinds: Mapping[str, str]
    routes: Mapping[str, str]
    child: str


JA = LeavingWords(
    title="お知らせを減らす・止める",
    fewer="お知らせの種類を減らす",
    only="避難など命に関わるものだけにする",
    pause="しばらく休む",
    morning="朝のまとめで受け取る",
    at_once="出るたびに受け取る",
    morning_set="通常のお知らせは、毎朝{time}に1通にまとめてお届けします。緊急のお知らせと、避難など命に関わるお知らせは、すぐにお届けします。",
    at_once_set="お知らせを、出るたびにお届けします。",
    pause_ask="いつまで休みますか。休んでいる間も、避難など命に関わるお知らせは届きます。",
    days="{number}日間",
    stop="すべて止める",
    stop_warning="避難指示など、命に関わるお知らせも届かなくなります。本当に止めますか。",
    stop_yes="すべて止める",
    stopped="お知らせを止めました。避難指示なども届きません。設定は残してあるので、いつでも再開できます。",
    undo="再開する",
    paused="{day}まで、避難など命に関わるお知らせだけをお届けします。",
    paused_open="これからは、避難など命に関わるお知らせだけをお届けします。選んだ種類は残してあります。",
    resume="元の受け取り方に戻す",
    resumed="元の設定で、お知らせをお届けします。",
    block="LINEの「ブロック」でも止まります（トーク右上の ≡ から）。ブロックを解除すると、前の設定で再開します。",
    still_stopped="お知らせは、いま止まっています。",
    keep="止めない",
    mine="登録している内容",
    mine_hint="町が保存している、あなたの登録の内容を見たり、消したりできます。",
    export="内容をすべて見る",
    erase="登録を消す",
    erase_warning="登録とすべての設定を消します。元に戻せません。避難指示なども届かなくなります。",
    erase_yes="消す",
    erased="登録を消しました。このトークのボタンを押すと、新しく登録されます。もう使わないときは、ブロックしてください。",
    registered="登録した日",
    groups="グループ",
    quiet="おやすみ時間",
    pace="受け取り方",
    read="読んだと伝えたお知らせ",
    events="登録の記録",
    kinds={"joined": "登録", "left": "終了", "changed": "変更"},
    routes={
        "line": "LINE",
        "mail": "メール",
        "web": "設定のページ",
        "counter": "窓口",
        "import": "名簿",
        "service": "自動",
        "profile": "町の区分の変更",
    },
    child="{number}人目",
)

EASY = LeavingWords(
    title="お知（し）らせを へらす・止（と）める",
    fewer="お知（し）らせの 種類（しゅるい）を へらす",
    only="命（いのち）を 守（まも）る お知（し）らせだけ",
    pause="しばらく 休（やす）む",
    morning="朝（あさ）の まとめで 受（う）け取（と）る",
    at_once="すぐに 受（う）け取（と）る",
    morning_set="ふつうの お知（し）らせは、毎朝（まいあさ）{time}に 1つに まとめて 来（き）ます。急（いそ）ぎの お知（し）らせは すぐに 来（き）ます。",
    at_once_set="お知（し）らせは すぐに 来（き）ます。",
    pause_ask="いつまで 休（やす）みますか。命（いのち）を 守（まも）る お知（し）らせは 来（き）ます。",
    days="{number}日（にち）",
    stop="ぜんぶ 止（と）める",
    stop_warning="避難（ひなん）の お知（し）らせも 来（き）ません。本当（ほんとう）に 止（と）めますか。",
    stop_yes="ぜんぶ 止（と）める",
    stopped="お知（し）らせを 止（と）めました。また 始（はじ）めることが できます。",
    undo="また 始（はじ）める",
    paused="{day}まで、命（いのち）を 守（まも）る お知（し）らせだけ 来（き）ます。",
    paused_open="命（いのち）を 守（まも）る お知（し）らせだけ 来（き）ます。えらんだ ものは のこっています。",
    resume="もとに もどす",
    resumed="前（まえ）と 同（おな）じ お知（し）らせが 来（き）ます。",
    block="LINEの「ブロック」でも 止（と）まります。右（みぎ）の 上（うえ）の ≡ を おしてください。",
    still_stopped="お知（し）らせは 今（いま） 止（と）まっています。",
    keep="やめない",
    mine="登録（とうろく）して いること",
    mine_hint="町（まち）が もっている あなたの ことを 見（み）たり、消（け）したり できます。",
    export="ぜんぶ 見（み）る",
    erase="登録（とうろく）を 消（け）す",
    erase_warning="登録（とうろく）と 設定（せってい）を 消（け）します。もとに もどすことは できません。避難（ひなん）の お知（し）らせも 来（き）ません。",
    erase_yes="消（け）す",
    erased="登録（とうろく）を 消（け）しました。もう 使（つか）わないときは ブロックしてください。",
    registered="登録（とうろく）した 日（ひ）",
    groups="グループ",
    quiet="しずかな 時間（じかん）",
    pace="受（う）け取（と）り方（かた）",
    read="読（よ）みましたを おした お知（し）らせ",
    events="登録（とうろく）の きろく",
    kinds={"joined": "はじめた", "left": "おわった", "changed": "かえた"},
    routes={
        "line": "LINE",
        "mail": "メール",
        "web": "設定（せってい）の ページ",
        "counter": "役場（やくば）",
        "import": "名簿（めいぼ）",
        "service": "自動（じどう）",
        "profile": "町（まち）が 分（わ）け方（かた）を かえた",
    },
    child="{number}人目（にんめ）",
)

EN = LeavingWords(
    title="Fewer notices, or none",
    fewer="Choose fewer topics",
    only="Life-saving notices only",
    pause="Take a break",
    morning="Get a morning digest",
    at_once="Get notices at once",
    morning_set="Routine notices now come as one message each morning at {time}. Urgent and life-saving notices come at once.",
    at_once_set="Notices now come at once.",
    pause_ask="Until when? Evacuation orders and other life-saving notices are still sent.",
    days="{number} days",
    stop="Stop everything",
    stop_warning="Evacuation orders and other life-saving notices stop too. Do you really want to stop?",
    stop_yes="Stop everything",
    stopped="Your notices are stopped, evacuation orders too. Your settings are kept: you can start again at any time.",
    undo="Start again",
    paused="Until {day} you get life-saving notices only.",
    paused_open="From now on you get life-saving notices only. What you chose is kept.",
    resume="Back to my settings",
    resumed="You get notices with your settings again.",
    block="“Block” in LINE stops everything too (≡ at the top right of this chat). Unblock to start again.",
    still_stopped="Your notices are stopped at the moment.",
    keep="Go back",
    mine="What is stored about me",
    mine_hint="See or delete what the town has stored about your registration.",
    export="See everything",
    erase="Delete my registration",
    erase_warning="This deletes your registration and all settings for good. Evacuation orders stop too.",
    erase_yes="Delete",
    erased="Your registration is deleted. A tap on a button here registers you anew; to stay away, block this account.",
    registered="Registered",
    groups="Groups",
    quiet="Quiet hours",
    pace="Pace",
    read="Notices I have read",
    events="Record of changes",
    kinds={"joined": "registered", "left": "ended", "changed": "changed"},
    routes={
        "line": "LINE",
        "mail": "email",
        "web": "settings page",
        "counter": "town office",
        "import": "list",
        "service": "automatic",
        "profile": "change of categories by the town",
    },
    child="Child {number}",
)

LEAVING_WORDS = {"ja": JA, "ja-easy": EASY, "en": EN}


def leaving_words(language: str) -> LeavingWords:
    """For a language, else English."""
    return LEAVING_WORDS.get(language, EN)
