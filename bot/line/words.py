"""What residents read in the chat, in the languages that the service speaks by itself.

やさしい日本語 follows the national guideline: short sentences, です and ます, spaces between phrases,
readings in brackets because LINE has no ruby. Texts in braces are filled in by the pages.
"""

from __future__ import annotations

from dataclasses import dataclass

from bot.pages import MONTHS
from content.town import Town

# Readable whatever language is set: it is the way out of the wrong one.
LANGUAGE_TITLE = "ことば / Language"
LANGUAGE_HINT = "ことばを えらんでください。\nPlease choose your language."


@dataclass(frozen=True, slots=True)
class Words:
    """The fixed words of one language. `join` stands between names in a list, `colon` after a heading."""

    join: str
    colon: str
    thanks: str
    about: str
    always_come: str
    choose_rest: str
    no_enquiries: str
    emergency: str
    start_title: str
    start: str
    welcome_back: str
    settings: str
    settings_page: str
    categories: str
    categories_hint: str
    areas: str
    areas_hint: str
    always_note: str
    no_area: str
    chosen: str
    not_chosen: str
    always: str
    choose: str
    drop: str
    next: str
    earlier: str
    later: str
    birth: str
    birth_hint: str
    birth_pick: str
    birth_ask: str
    birth_yes: str
    birth_no: str
    birth_added: str
    birth_clear: str
    birth_year_month: str
    summary: str
    summary_next: str
    none: str
    language: str
    change: str
    help_title: str
    call: str
    outdated: str


JA = Words(
    join="、",
    colon="：",
    thanks="友だち追加ありがとうございます。",
    about="{office}です。{town}からのお知らせを、このトークにお届けします。",
    always_come="・「{always}」のお知らせは命に関わるため、種類を選ばなくても届きます。地区を選ぶまでは、町内すべての地区の分が届きます。",
    choose_rest="・そのほかのお知らせは、受け取りたいものを選べます。お知らせがあるときだけお送りします。",
    no_enquiries="このトークでは、お問い合わせにお答えできません。\nお問い合わせ：{office}　電話 {phone}",
    emergency="火事・救急は119番、事件・事故は110番へ電話してください。",
    start_title="受け取りたいお知らせを選んでください",
    start="お知らせの設定をはじめる",
    welcome_back="おかえりなさい。以前の設定のまま、お知らせをお届けします。",
    settings="お知らせの設定",
    settings_page="設定のページを開く",
    categories="お知らせの種類",
    categories_hint="押すと、すぐに登録されます。",
    areas="地区",
    areas_hint="避難などのお知らせは、地区を選ぶと、選んだ地区と町全体の分が届きます。選ばなければ、すべての地区の分が届きます。",
    always_note="「{always}」は、選ばなくても届きます。",
    no_area="選んでいません（町全体）",
    chosen="選択中",
    not_chosen="選んでいません",
    always="必ず届きます",
    choose="{name}を選ぶ",
    drop="{name}を外す",
    next="次へ：{name}",
    earlier="前の一覧へ戻る",
    later="一覧の続きを見る",
    birth="お子さんの生まれ月",
    birth_hint="登録すると、年齢に合ったお知らせ（健診など）が届きます。登録しなくてもかまいません。"
    "日はどの日でもかまいません。保存するのは年と月だけです。",
    birth_pick="生まれ月を選ぶ",
    birth_ask="{month}生まれのお子さんを登録しますか。",
    birth_yes="登録する",
    birth_no="選び直す",
    birth_added="{month}生まれ：登録しました",
    birth_clear="生まれ月をすべて消す",
    birth_year_month="{year}年{month}月",
    summary="登録内容",
    summary_next="登録内容の確認",
    none="登録なし",
    language="ことば",
    change="変更する",
    help_title="ボタンで操作できます",
    call="{office}に電話する",
    outdated="ボタンが古くなっていたため、いまの画面を開きました。もう一度選んでください。",
)

EASY = Words(
    join="、",
    colon="：",
    thanks="友（とも）だちに なってくれて ありがとうございます。",
    about="{office}です。ここに {town}の お知（し）らせを 送（おく）ります。",
    always_come="・「{always}」は 命（いのち）を 守（まも）る お知（し）らせです。えらばなくても 来（き）ます。",
    choose_rest="・ほかの お知（し）らせは、ほしいものを えらんでください。",
    no_enquiries="ここで 質問（しつもん）に 答（こた）えることは できません。\n"
    "質問（しつもん）は 電話（でんわ）してください：{office}　{phone}",
    emergency="火事（かじ）、けが、病気（びょうき）は 119に 電話（でんわ）してください。\n"
    "どろぼう、交通事故（こうつうじこ）は 110に 電話（でんわ）してください。",
    start_title="ほしい お知（し）らせを えらんでください",
    start="お知（し）らせを えらぶ",
    welcome_back="おかえりなさい。前（まえ）に えらんだ お知（し）らせを 送（おく）ります。",
    settings="お知（し）らせの 設定（せってい）",
    settings_page="設定（せってい）の ページを 開（ひら）く",
    categories="お知（し）らせの 種類（しゅるい）",
    categories_hint="ほしい お知（し）らせを おしてください。いくつでも いいです。おすと すぐに きまります。",
    areas="住（す）んでいる ところ",
    areas_hint="ところを えらぶと、そこの 避難（ひなん）の お知（し）らせが 来（き）ます。えらばないと、町（まち）の ぜんぶの お知（し）らせが 来（き）ます。",
    always_note="「{always}」は えらばなくても 来（き）ます。",
    no_area="えらんでいません（町（まち）の ぜんぶ）",
    chosen="えらんでいます",
    not_chosen="えらんでいません",
    always="かならず 来（き）ます",
    choose="{name} えらぶ",
    drop="{name} やめる",
    next="次（つぎ）へ：{name}",
    earlier="前（まえ）に もどる",
    later="続（つづ）きを 見（み）る",
    birth="子（こ）どもが 生（う）まれた 月（つき）",
    birth_hint="子（こ）どもの 年（とし）に 合（あ）った お知（し）らせが 来（き）ます。"
    "入（い）れなくても いいです。年（とし）と 月（つき）だけ のこります。",
    birth_pick="生（う）まれた 月（つき）を えらぶ",
    birth_ask="{month}に 生（う）まれた 子（こ）どもを 入（い）れますか。",
    birth_yes="入（い）れる",
    birth_no="もう一度（いちど） えらぶ",
    birth_added="{month}に 生（う）まれた 子（こ）ども：入（い）れました",
    birth_clear="ぜんぶ 消（け）す",
    birth_year_month="{year}年（ねん） {month}月（がつ）",
    summary="えらんだもの",
    summary_next="えらんだものを 見（み）る",
    none="ありません",
    language="ことば",
    change="かえる",
    help_title="ボタンを おしてください",
    call="{office}に 電話（でんわ）する",
    outdated="ボタンが 古（ふる）いです。もう一度（いちど） えらんでください。",
)

EN = Words(
    join=", ",
    colon=": ",
    thanks="Thank you for adding us.",
    about="This is the official account of {town} ({office}). Its notices come to this chat.",
    always_come="・“{always}” notices can save your life. You get them without choosing them, for the whole town until you choose your area.",
    choose_rest="・You choose which other notices you want. We write only when there is news.",
    no_enquiries="We cannot answer questions in this chat.\nQuestions: phone {phone} ({office}, in Japanese)",
    emergency="Fire or ambulance: call 119. Police: call 110.",
    start_title="Choose the notices you want",
    start="Start settings",
    welcome_back="Welcome back. You get notices with the same settings as before.",
    settings="Notice settings",
    settings_page="Open the settings page",
    categories="Topics",
    categories_hint="Tap the topics you want, as many as you like. It is saved at once.",
    areas="Areas",
    areas_hint="If you choose an area, you get evacuation notices for it and for the whole town. If you choose none, you get those for every area.",
    always_note="“{always}” notices come without being chosen.",
    no_area="None chosen (whole town)",
    chosen="Chosen",
    not_chosen="Not chosen",
    always="Always on",
    choose="Choose {name}",
    drop="Remove {name}",
    next="Next: {name}",
    earlier="Back to the list before",
    later="See more of the list",
    birth="Your child's birth month",
    birth_hint="You get notices for the age of your child, such as health checks. This is optional. "
    "Any day will do: only year and month are saved.",
    birth_pick="Choose the birth month",
    birth_ask="Add a child born in {month}?",
    birth_yes="Add",
    birth_no="Choose again",
    birth_added="Child born in {month}: added",
    birth_clear="Delete all birth months",
    birth_year_month="{month_name} {year}",
    summary="Your choices",
    summary_next="Your choices",
    none="None",
    language="Language",
    change="Change",
    help_title="Please use the buttons",
    call="Call {office}",
    outdated="That button was out of date. Here is the current page; please choose again.",
)

WORDS = {"ja": JA, "ja-easy": EASY, "en": EN}


def words(language: str) -> Words:
    """The fixed words for a language, else English."""
    return WORDS.get(language, EN)


def office_name(town: Town, language: str) -> str:
    """The office in a language, where the town has its name in it."""
    return town.office_names.get(language) or town.office


def month_words(language: str, year_month: str) -> str:
    """2025-11 → 2025年11月."""
    year, _, month = year_month.partition("-")
    number = int(month)
    return words(language).birth_year_month.format(year=year, month=number, month_name=MONTHS[number - 1])


def language_for(profile_language: str, offered: tuple[str, ...]) -> str:
    """The language to begin with, from the BCP 47 tag of a LINE profile ("" when it is not told)."""
    tag = profile_language.lower()
    if not tag or tag.partition("-")[0] == "ja":
        return "ja"
    by_tag = {item.lower(): item for item in offered}
    fitting = (by_tag[item] for item in (tag, tag.partition("-")[0], "en") if item in by_tag)
    return next(fitting, "ja")
