"""The words of the settings page, in the languages that the service speaks by itself."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class SettingsWords:
    """Each stands where its name says; `{…}` is filled in by the page."""

    title: str
    of_address: str
    saved: str
    welcome: str
    categories: str
    always: str
    areas: str
    areas_hint: str
    language: str
    quiet: str
    quiet_hint: str
    quiet_town: str
    quiet_none: str
    quiet_span: str
    pace: str
    pace_hint: str
    pace_at_once: str
    pace_morning: str
    pause: str
    pause_hint: str
    pause_none: str
    pause_until: str
    pause_open: str
    pause_date: str
    save: str
    children: str
    children_hint: str
    no_children: str
    child: str
    born: str
    remove: str
    add_child: str
    birth_year: str
    birth_month: str
    year: str
    month: str
    child_word: str
    group: str
    group_hint: str
    group_code: str
    group_join: str
    own_data: str
    export: str
    erase: str
    erase_title: str
    erase_text: str
    erase_button: str
    erased: str
    back: str
    stop: str
    close: str
    closed: str
    bad_month: str
    bad_many: str
    bad_word: str
    bad_date: str
    bad_choice: str


JAPANESE = SettingsWords(
    title="お知らせの設定",
    of_address="{address} に届くお知らせの設定です。",
    saved="保存しました。",
    welcome="登録しました。受け取りたいお知らせを選んで、「保存する」を押してください。",
    categories="お知らせの種類",
    always="命に関わるお知らせです。いつも届きます。",
    areas="お住まいの地区",
    areas_hint="選ばないときは、町全体へのお知らせが届きます。避難など命に関わるお知らせは、地区を選ばなくても、どの地区のものも届きます。",
    language="お知らせのことば",
    quiet="おやすみ時間",
    quiet_hint="この時間に出た通常のお知らせは、時間が終わってから届きます。緊急のお知らせはすぐに届きます。",
    quiet_town="町の決まり({hours})",
    quiet_none="決めない(いつでも届く)",
    quiet_span="{hours}",
    pace="通常のお知らせの受け取り方",
    pace_hint="「朝のまとめ」では、一日分の通常のお知らせが毎朝{time}に1通で届きます。緊急のお知らせと、避難など命に関わるお知らせは、いつもすぐに届きます。",
    pace_at_once="出るたびにすぐ受け取る",
    pace_morning="朝のまとめで受け取る",
    pause="今は受け取らない",
    pause_hint="休んでいる間も、避難など命に関わるお知らせは届きます。",
    pause_none="受け取る",
    pause_until="次の日まで休む",
    pause_open="自分で戻すまで休む",
    pause_date="休みの最後の日",
    save="保存する",
    children="お子さん",
    children_hint="生まれ月を登録すると、年齢に合った健診や教室のお知らせが届きます。お名前はいりません。",
    no_children="登録されていません。",
    child="お子さん{number}",
    born="{year}年{month}月生まれ",
    remove="削除する",
    add_child="お子さんを追加する",
    birth_year="生まれた年",
    birth_month="生まれ月",
    year="{year}年",
    month="{month}月",
    child_word="呼び名(なくてもかまいません。12文字まで)",
    group="グループ",
    group_hint="保育園や学校などから招待コードを受け取った方は、ここで入れます。",
    group_code="招待コード",
    group_join="グループに入る",
    own_data="ご自分のデータ",
    export="登録の内容を保存する(JSON)",
    erase="登録とアドレスを消す",
    erase_title="登録とアドレスを消しますか",
    erase_text="アドレスと設定をすべて消します。避難のお知らせも届かなくなり、元に戻せません。登録者数の記録には、個人が分からない数だけが残ります。",
    erase_button="消す",
    erased="登録とアドレスを消しました。",
    back="設定に戻る",
    stop="受け取りを減らす・やめる",
    close="設定を閉じる",
    closed="設定を閉じました。",
    bad_month="生まれた年と月を選んでください。これから生まれるお子さんは登録できません。",
    bad_many="登録できるのは12人までです。",
    bad_word="呼び名は12文字までにしてください。",
    bad_date="休みの最後の日を、今日より後の日付で入れてください(例: 2027-03-31)。",
    bad_choice="選んだものの中に、今は選べないものがありました。もう一度選んでください。",
)
EASY = SettingsWords(
    title="お知(し)らせの 設定(せってい)",
    of_address="{address} に とどく お知(し)らせの 設定(せってい)です。",
    saved="保存(ほぞん)しました。",
    welcome="登録(とうろく)しました。ほしい お知(し)らせを えらんで、「保存(ほぞん)する」を おしてください。",
    categories="お知(し)らせの しゅるい",
    always="いのちを まもる お知(し)らせです。いつも とどきます。",
    areas="すんでいる ところ",
    areas_hint="えらばないときは、まち ぜんたいへの お知(し)らせが とどきます。いのちを まもる お知(し)らせは、えらばなくても、ぜんぶの 地区(ちく)の ものが とどきます。",
    language="ことば",
    quiet="よるの 時間(じかん)",
    quiet_hint="この 時間(じかん)の ふつうの お知(し)らせは、あさに なってから とどきます。いそぎの お知(し)らせは すぐに とどきます。",
    quiet_town="まちの きまり({hours})",
    quiet_none="きめない(いつでも とどく)",
    quiet_span="{hours}",
    pace="ふつうの お知(し)らせの うけとりかた",
    pace_hint="「あさの まとめ」は、1日(いちにち)の お知(し)らせが まいあさ {time}に 1つで とどきます。いそぎの お知(し)らせと いのちを まもる お知(し)らせは すぐに とどきます。",
    pace_at_once="すぐに うけとる",
    pace_morning="あさの まとめで うけとる",
    pause="いまは うけとらない",
    pause_hint="休(やす)んでいる あいだも、いのちを まもる お知(し)らせは とどきます。",
    pause_none="うけとる",
    pause_until="つぎの 日(ひ)まで 休(やす)む",
    pause_open="自分(じぶん)で もどすまで 休(やす)む",
    pause_date="休(やす)みの さいごの 日(ひ)",
    save="保存(ほぞん)する",
    children="子(こ)ども",
    children_hint="子(こ)どもが 生(う)まれた 月(つき)を いれると、子(こ)どもの 健康(けんこう)の お知(し)らせが とどきます。名前(なまえ)は いりません。",
    no_children="まだ ありません。",
    child="子(こ)ども{number}",
    born="{year}年(ねん){month}月(がつ)に 生(う)まれた",
    remove="けす",
    add_child="子(こ)どもを いれる",
    birth_year="生(う)まれた 年(とし)",
    birth_month="生(う)まれた 月(つき)",
    year="{year}年(ねん)",
    month="{month}月(がつ)",
    child_word="よびかた(なくても いいです。12文字(もじ)まで)",
    group="グループ",
    group_hint="保育園(ほいくえん)や 学校(がっこう)から コードを もらった 人(ひと)は、ここに いれてください。",
    group_code="コード",
    group_join="グループに はいる",
    own_data="あなたの データ",
    export="登録(とうろく)の なかみを とっておく(JSON)",
    erase="登録(とうろく)と アドレスを けす",
    erase_title="登録(とうろく)と アドレスを けしますか",
    erase_text="ぜんぶ けします。にげる ための お知(し)らせも とどきません。もとに もどせません。",
    erase_button="けす",
    erased="登録(とうろく)と アドレスを けしました。",
    back="設定(せってい)に もどる",
    stop="へらす・やめる",
    close="設定(せってい)を とじる",
    closed="設定(せってい)を とじました。",
    bad_month="生(う)まれた 年(とし)と 月(つき)を えらんでください。",
    bad_many="12人(にん)まで です。",
    bad_word="よびかたは 12文字(もじ)までです。",
    bad_date="休(やす)みの さいごの 日(ひ)を いれてください。きょうより あとの 日(ひ)です。",
    bad_choice="いまは えらべない ものが ありました。もういちど えらんでください。",
)
ENGLISH = SettingsWords(
    title="Your notice settings",
    of_address="Settings for notices sent to {address}.",
    saved="Saved.",
    welcome='You are registered. Choose the notices you want and press "Save".',
    categories="Kinds of notices",
    always="Life-saving notices are always sent.",
    areas="Where you live",
    areas_hint="If you choose none, you receive notices for the whole town, and life-saving notices for every district.",
    language="Language",
    quiet="Quiet hours",
    quiet_hint="Routine notices sent during these hours reach you afterwards. Urgent notices reach you at once.",
    quiet_town="As the town sets them ({hours})",
    quiet_none="None (at any time)",
    quiet_span="{hours}",
    pace="When routine notices come",
    pace_hint="With the morning digest, the routine notices of a day come as one message each morning at {time}. Urgent and life-saving notices always come at once.",
    pace_at_once="At once",
    pace_morning="In a morning digest",
    pause="Pause",
    pause_hint="Evacuation orders and other life-saving notices are still sent while you pause.",
    pause_none="Receive notices",
    pause_until="Pause until this day",
    pause_open="Pause until I change it",
    pause_date="Last day of the pause",
    save="Save",
    children="Children",
    children_hint="With the month of birth you receive notices about check-ups and classes for that age. No names are needed.",
    no_children="None registered.",
    child="Child {number}",
    born="born {year}-{month:0>2}",
    remove="Remove",
    add_child="Add a child",
    birth_year="Year of birth",
    birth_month="Month of birth",
    year="{year}",
    month="{month}",
    child_word="A word to tell them apart (optional, up to 12 characters)",
    group="Groups",
    group_hint="If a nursery, school or other group gave you an invitation code, enter it here.",
    group_code="Invitation code",
    group_join="Join the group",
    own_data="Your data",
    export="Download what is registered (JSON)",
    erase="Delete the registration and the address",
    erase_title="Delete the registration and the address?",
    erase_text="Your address and settings are deleted. Evacuation orders will no longer reach you, and this cannot be undone. Only figures that name nobody are kept.",
    erase_button="Delete",
    erased="The registration and the address are deleted.",
    back="Back to the settings",
    stop="Receive less, or stop",
    close="Close the settings",
    closed="The settings are closed.",
    bad_month="Choose the year and month of birth. A child who is not born yet cannot be registered.",
    bad_many="You can register up to 12 children.",
    bad_word="Use up to 12 characters.",
    bad_date="Enter the last day of the pause, later than today (for example 2027-03-31).",
    bad_choice="Something you chose can no longer be chosen. Please choose again.",
)
WORDS = {"ja": JAPANESE, "ja-easy": EASY, "en": ENGLISH}


def words_for(language: str) -> SettingsWords:
    """English for a language of which the service has no words of its own."""
    return WORDS.get(language, ENGLISH)
