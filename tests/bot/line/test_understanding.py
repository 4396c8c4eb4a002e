"""What a resident's words mean."""

import pytest

from bot.line.typed import understand
from bot.line.wishes import Wish, sounds_like_emergency
from tests.factories import create_town


@pytest.mark.parametrize(
    "text",
    ["助けて", "たすけて！", "タスケテ", "火事です", "かじ", "カジだ", "救急車を呼んで", "事故です", "じこ", "母が倒れた",
     "Help!", "help me please", "There is a fire", "ＦＩＲＥ", "I need an ambulance", "119", "泥棒"],
)  # fmt: skip
def test_cries_for_help_are_heard(text):
    assert sounds_like_emergency(text)


@pytest.mark.parametrize(
    "text", ["避難所", "ごみの日はいつ", "まじか", "自己紹介", "fireworks", "こんにちは", "設定"]
)
def test_ordinary_words_are_no_emergency(text):
    assert not sounds_like_emergency(text)


@pytest.mark.parametrize(
    ("text", "wish"),
    [
        ("避難所", Wish.SHELTERS), ("ひなんじょはどこ？", Wish.SHELTERS), ("ひなんじよ", Wish.SHELTERS), ("ヒナンジョ", Wish.SHELTERS),
        ("避難", Wish.SHELTERS), ("shelter", Wish.SHELTERS), ("shleter", Wish.SHELTERS), ("Where is the evacuation site?", Wish.SHELTERS),
        ("休日当番医", Wish.DOCTOR), ("きょうの当番医を教えて", Wish.DOCTOR), ("とうばんい", Wish.DOCTOR), ("びょういん", Wish.DOCTOR),
        ("やめたい", Wish.STOP), ("お知らせが多すぎる", Wish.STOP), ("ヤメタイ", Wish.STOP), ("unsubscribe", Wish.STOP),
        ("設定", Wish.CATEGORIES), ("せってい", Wish.CATEGORIES), ("受信設定", Wish.CATEGORIES), ("setings", Wish.CATEGORIES),
        ("お知らせ", Wish.RECENT), ("最近のお知らせ", Wish.RECENT), ("さいきんのおしらせを見せて", Wish.RECENT),
        ("何ができる？", Wish.MENU), ("なにができますか", Wish.MENU), ("メニュー", Wish.MENU), ("What can you do?", Wish.MENU),
        ("友だちに教えたい", Wish.SHARE), ("よくある質問", Wish.FAQ), ("問い合わせ", Wish.CONTACT), ("ありがとうございます！", Wish.GREETING),
    ],
)  # fmt: skip
def test_words_are_understood_in_kana_with_errors_and_in_english(text, wish):
    assert understand(text, create_town(), []).wish == wish


@pytest.mark.parametrize(
    ("text", "topic"),
    [("ごみ", "gomi"), ("ゴミの日はいつ", "gomi"), ("子育て", "kosodate"), ("こそだて", "kosodate"), ("garbage", "gomi"),
     ("お祭りはありますか", "event"), ("防災", "saigai"), ("災害", "saigai")],
)  # fmt: skip
def test_topics_of_the_town_are_known_by_several_names(text, topic):
    assert understand(text, create_town(), []).topic == topic
