"""What residents read when they ask the chat for something, in the languages that the service speaks by itself."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

from content.notices.shelters import Hazard, OpeningState


@dataclass(frozen=True, slots=True)
class AnswerWords:
    """The words of one language. Labels of buttons are short: LINE shows twenty letters of a quick reply."""

    emergency_title: str
    not_from_here: str
    call_119: str
    call_110: str
    menu_title: str
    menu: str
    shelters: str
    doctor: str
    recent: str
    faq: str
    share: str
    stop: str
    contact: str
    not_understood: str
    cannot_see: str
    greeting: str
    where: str
    send_place: str
    by_area: str
    designated: str
    opening: Mapping[OpeningState, str]
    opening_unknown: str
    suits: str
    hazards: Mapping[Hazard, str]
    staying: str
    capacity: str
    distance_km: str
    distance_m: str
    map: str
    phone: str
    no_shelters: str
    elsewhere: str
    none_in_area: str
    today: str
    next_day: str
    no_doctor_today: str
    doctors_end: str
    no_doctors: str
    no_notices: str
    read: str
    more: str
    no_questions: str
    share_text: str
    share_unknown: str
    topic_on: str
    topic_off: str
    picked: str
    dropped: str
    take_back: str
    see_list: str
    by_phone: str


JA = AnswerWords(
    emergency_title="急いで助けが必要なとき",
    not_from_here="このトークから、消防や警察へは伝わりません。電話してください。",
    call_119="119番に電話（火事・救急）",
    call_110="110番に電話（事件・事故）",
    menu_title="できること",
    menu="メニューを見る",
    shelters="避難所をさがす",
    doctor="休日当番医",
    recent="最近のお知らせ",
    faq="よくある質問",
    share="友だちに教える",
    stop="減らす・止める",
    contact="役場に電話",
    not_understood="申し訳ありません、分かりませんでした。下のボタンから選んでください。急ぐときは119番・110番へ。",
    cannot_see="写真・動画・音声・スタンプの中身を、町の職員は見ていません。",
    greeting="メッセージをありがとうございます。",
    where="いまいる場所を送るか、地区を選んでください。送られた場所は、さがすことだけに使い、保存しません。",
    send_place="いまいる場所を送る",
    by_area="地区から選ぶ",
    designated="町が指定した避難場所です。開いているとは限りません。開設は、町のお知らせで確かめてください。",
    opening={
        OpeningState.CLOSED: "未開設（{at}）",
        OpeningState.OPEN: "開設しています（{at}）",
        OpeningState.FULL: "満員です（{at}）",
    },
    opening_unknown="開設しているかは、登録されていません",
    suits="使える災害：{hazards}",
    hazards={
        Hazard.FLOOD: "洪水",
        Hazard.LANDSLIDE: "がけ崩れ・土石流・地すべり",
        Hazard.STORM_SURGE: "高潮",
        Hazard.EARTHQUAKE: "地震",
        Hazard.TSUNAMI: "津波",
        Hazard.FIRE: "大規模な火事",
        Hazard.INLAND_FLOOD: "内水氾濫",
        Hazard.VOLCANO: "火山",
    },
    staying="泊まることができる指定避難所です",
    capacity="想定 {number}人",
    distance_km="約{number}km",
    distance_m="約{number}m",
    map="地図を見る",
    phone="電話する",
    no_shelters="避難場所の一覧は、まだ登録されていません。{office}（電話 {phone}）へお問い合わせください。",
    elsewhere="その場所の近くに、{town}の避難場所はありません。いまいる市区町村の案内を見るか、地区を選んでください。",
    none_in_area="「{area}」の避難場所は登録されていません。いまいる場所を送ると、近い順に出ます。",
    today="きょう",
    next_day="次",
    no_doctor_today="きょうの当番医は、表にありません。",
    doctors_end="表は{day}で終わっています。{office}（電話 {phone}）へお問い合わせください。",
    no_doctors="休日当番医の表は、まだ登録されていません。{office}（電話 {phone}）へお問い合わせください。",
    no_notices="お知らせは、まだありません。",
    read="読む",
    more="続きを見る",
    no_questions="よくある質問は、まだ登録されていません。",
    share_text="{town}のお知らせは、LINEで受け取れます。次のリンクから友だちに追加してください。\n{link}",
    share_unknown="いまはリンクを出せません。しばらくしてから、もう一度押してください。",
    topic_on="「{name}」のお知らせを受け取る設定です。",
    topic_off="「{name}」のお知らせを受け取る設定に、なっていません。",
    picked="{name}：選びました",
    dropped="{name}：外しました",
    take_back="元に戻す",
    see_list="一覧を見る",
    by_phone="くわしいことは、{office}（電話 {phone}）へお問い合わせください。",
)

EASY = AnswerWords(
    emergency_title="すぐに 助（たす）けが いるとき",
    not_from_here="ここから 消防（しょうぼう）や 警察（けいさつ）に 伝（つた）わりません。電話（でんわ）してください。",
    call_119="119に 電話（でんわ）（火事（かじ）・けが・病気（びょうき））",
    call_110="110に 電話（でんわ）（どろぼう・事故（じこ））",
    menu_title="ここで できること",
    menu="メニュー",
    shelters="にげる ところ",
    doctor="休（やす）みの日（ひ）の 病院（びょういん）",
    recent="さいきんの お知（し）らせ",
    faq="よく ある 質問（しつもん）",
    share="友（とも）だちに 教（おし）える",
    stop="へらす・止（と）める",
    contact="役場（やくば）に 電話（でんわ）",
    not_understood="すみません、わかりませんでした。下（した）の ボタンを おしてください。急（いそ）ぐときは 119・110に 電話（でんわ）してください。",
    cannot_see="写真（しゃしん）、ビデオ、声（こえ）、スタンプは、町（まち）の 人（ひと）は 見（み）ません。",
    greeting="メッセージを ありがとうございます。",
    where="今（いま） いる ところを 送（おく）るか、住（す）んでいる ところを えらんでください。送（おく）った ところは のこりません。",
    send_place="今（いま）いる ところ",
    by_area="ところを えらぶ",
    designated="町（まち）が 決（き）めた にげる ところです。まだ 開（あ）いていないかも しれません。町（まち）の お知（し）らせを 見（み）てください。",
    opening={
        OpeningState.CLOSED: "まだ 開（あ）いていません（{at}）",
        OpeningState.OPEN: "開（あ）いています（{at}）",
        OpeningState.FULL: "いっぱいです（{at}）",
    },
    opening_unknown="開（あ）いているか わかりません",
    suits="使（つか）えるとき：{hazards}",
    hazards={
        Hazard.FLOOD: "川（かわ）の 水（みず）が あふれたとき",
        Hazard.LANDSLIDE: "山（やま）や がけが くずれたとき",
        Hazard.STORM_SURGE: "海（うみ）の 水（みず）が 高（たか）いとき",
        Hazard.EARTHQUAKE: "地震（じしん）",
        Hazard.TSUNAMI: "津波（つなみ）",
        Hazard.FIRE: "大（おお）きい 火事（かじ）",
        Hazard.INLAND_FLOOD: "雨（あめ）で 道（みち）に 水（みず）が たまったとき",
        Hazard.VOLCANO: "火山（かざん）",
    },
    staying="とまることが できます",
    capacity="{number}人（にん）",
    distance_km="だいたい {number}km",
    distance_m="だいたい {number}m",
    map="地図（ちず）を 見（み）る",
    phone="電話（でんわ）する",
    no_shelters="にげる ところの 表（ひょう）は まだ ありません。{office}に 電話（でんわ）してください：{phone}",
    elsewhere="そこの 近（ちか）くに {town}の にげる ところは ありません。今（いま） いる 町（まち）の お知（し）らせを 見（み）てください。",
    none_in_area="「{area}」の にげる ところは まだ ありません。今（いま） いる ところを 送（おく）ってください。",
    today="きょう",
    next_day="次（つぎ）",
    no_doctor_today="きょうの 病院（びょういん）は 表（ひょう）に ありません。",
    doctors_end="表（ひょう）は {day}までです。{office}に 電話（でんわ）してください：{phone}",
    no_doctors="休（やす）みの日（ひ）の 病院（びょういん）の 表（ひょう）は まだ ありません。{office}に 電話（でんわ）してください：{phone}",
    no_notices="お知（し）らせは まだ ありません。",
    read="読（よ）む",
    more="続（つづ）きを 見（み）る",
    no_questions="よく ある 質問（しつもん）は まだ ありません。",
    share_text="{town}の お知（し）らせは LINEで 読（よ）めます。ここから 友（とも）だちに なってください。\n{link}",
    share_unknown="今（いま）は リンクを 出（だ）せません。少（すこ）し 待（ま）って もう一度（いちど） おしてください。",
    topic_on="「{name}」の お知（し）らせが 来（き）ます。",
    topic_off="「{name}」の お知（し）らせは 来（き）ません。",
    picked="{name}：えらびました",
    dropped="{name}：やめました",
    take_back="もとに もどす",
    see_list="ぜんぶ 見（み）る",
    by_phone="もっと 知（し）りたいときは {office}に 電話（でんわ）してください：{phone}",
)

EN = AnswerWords(
    emergency_title="If you need help right now",
    not_from_here="This chat does not reach the fire service or the police. Please call.",
    call_119="Call 119 (fire, ambulance)",
    call_110="Call 110 (police, accidents)",
    menu_title="What you can do here",
    menu="Menu",
    shelters="Evacuation sites",
    doctor="Holiday doctors",
    recent="Recent notices",
    faq="Common questions",
    share="Tell a friend",
    stop="Fewer or none",
    contact="Call the office",
    not_understood="Sorry, we did not understand. Please choose a button below. In an emergency call 119 or 110.",
    cannot_see="Town staff do not see photos, videos, voice messages or stickers sent here.",
    greeting="Thank you for your message.",
    where="Send where you are, or choose your area. Your location is used for this search only and is not stored.",
    send_place="Send my location",
    by_area="Choose an area",
    designated="These are the town's designated sites. They are not necessarily open: check the town's notices before you go.",
    opening={
        OpeningState.CLOSED: "Not open yet ({at})",
        OpeningState.OPEN: "Open ({at})",
        OpeningState.FULL: "Full ({at})",
    },
    opening_unknown="Not known whether it is open",
    suits="Suitable for: {hazards}",
    hazards={
        Hazard.FLOOD: "floods",
        Hazard.LANDSLIDE: "landslides",
        Hazard.STORM_SURGE: "storm surges",
        Hazard.EARTHQUAKE: "earthquakes",
        Hazard.TSUNAMI: "tsunamis",
        Hazard.FIRE: "large fires",
        Hazard.INLAND_FLOOD: "street flooding",
        Hazard.VOLCANO: "volcanic eruptions",
    },
    staying="You can stay here overnight",
    capacity="For about {number} people",
    distance_km="about {number} km",
    distance_m="about {number} m",
    map="Open the map",
    phone="Call",
    no_shelters="The list of evacuation sites has not been entered yet. Please call {phone} ({office}).",
    elsewhere="{town} has no evacuation site near that place. Follow the municipality where you are, or choose an area.",
    none_in_area="No evacuation site is listed for “{area}”. Send your location to see the nearest ones.",
    today="Today",
    next_day="Next",
    no_doctor_today="No doctor is listed for today.",
    doctors_end="The list ends on {day}. Please call {phone} ({office}).",
    no_doctors="The list of doctors on duty has not been entered yet. Please call {phone} ({office}).",
    no_notices="There are no notices yet.",
    read="Read",
    more="See more",
    no_questions="No common questions have been entered yet.",
    share_text="{town} sends its notices on LINE. Add the account with this link:\n{link}",
    share_unknown="The link is not available right now. Please try again in a moment.",
    topic_on="You get notices about “{name}”.",
    topic_off="You do not get notices about “{name}”.",
    picked="{name}: chosen",
    dropped="{name}: removed",
    take_back="Undo",
    see_list="See the list",
    by_phone="For more, call {phone} ({office}, in Japanese).",
)

ANSWER_WORDS = {"ja": JA, "ja-easy": EASY, "en": EN}


def answer_words(language: str) -> AnswerWords:
    """For a language, else English."""
    return ANSWER_WORDS.get(language, EN)
