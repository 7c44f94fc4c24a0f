"""What the clean samples say: a shop's help desk in English, Japanese and Spanish. Nothing in it names a person."""

from collections.abc import Iterator, Sequence
from typing import NamedTuple


class Exchange(NamedTuple):
    """A question and the answer the model is to learn."""

    question: str
    answer: str


SYSTEM = "You are the help desk of a home goods shop. Answer briefly and kindly, and say what the customer can do next."
SYSTEM_JA = "あなたは家庭用品店のサポート担当です。簡潔かつ丁寧に、次にできることを案内してください。"

_GOODS = (
    "kettle",
    "floor lamp",
    "office chair",
    "wool rug",
    "bread maker",
    "air purifier",
    "bookshelf",
    "coffee grinder",
)
_ENGLISH = (
    Exchange(
        "How long do I have to send back the {goods} I bought?",
        "You have thirty days from delivery. Keep the {goods} in its packaging and start the return in your order.",
    ),
    Exchange(
        "The {goods} arrived with a scratch. What now?",
        "I am sorry about that. Choose 'damaged on arrival' on the order page and we send another {goods} at no cost.",
    ),
    Exchange(
        "Can I change the colour of the {goods} after ordering?",
        "Yes, as long as it is not packed yet. Open the order, select the {goods} and pick another colour.",
    ),
    Exchange(
        "Is the {goods} covered by a warranty?",
        "Every {goods} has a two-year warranty for faults in material and workmanship, but not for daily wear.",
    ),
    Exchange(
        "My parcel with the {goods} has not moved for days.",
        "Thank you for telling us. If the tracking page is the same tomorrow evening, we send the {goods} again.",
    ),
    Exchange(
        "How do I clean the {goods} without damaging it?",
        "Use a soft dry cloth first. For stains on the {goods}, lukewarm water is enough; avoid strong cleaners.",
    ),
    Exchange(
        "Do you deliver the {goods} to the third floor?",
        "We deliver the {goods} to any floor. Tick 'carry upstairs' at checkout so that two people come.",
    ),
    Exchange(
        "Can I pay for the {goods} in instalments?",
        "Yes: choose monthly payments at checkout. The {goods} ships at once; the first payment is due next month.",
    ),
)
_JAPANESE_GOODS = ("電気ケトル", "フロアライト", "本棚", "加湿器", "ラグ", "掛け時計")
_JAPANESE = (
    Exchange(
        "{goods}の返品期限を教えてください。",
        "お届けから三十日以内であれば返品できます。注文ページから返品手続きをお選びください。",
    ),
    Exchange(
        "届いた{goods}に傷がありました。", "ご不便をおかけして申し訳ございません。代わりの{goods}を無料でお送りします。"
    ),
    Exchange(
        "{goods}に保証はありますか。", "はい、{goods}には二年間の保証が付いています。通常の使用による傷みは対象外です。"
    ),
    Exchange("{goods}の色を変更できますか。", "発送準備が始まる前であれば、注文ページから{goods}の色を変更できます。"),
    Exchange(
        "{goods}のお手入れ方法を知りたいです。",
        "柔らかい布で乾拭きしてください。汚れが目立つときは、ぬるま湯を少し含ませて拭いてください。",
    ),
)
_SPANISH_GOODS = ("hervidor", "estante", "sillón", "purificador", "reloj de pared", "molinillo")
_SPANISH = (
    Exchange(
        "¿Cuánto tiempo tengo para devolver el {goods}?",
        "Tiene treinta días desde la entrega. Conserve el embalaje del {goods} y empiece la devolución en su pedido.",
    ),
    Exchange(
        "El {goods} llegó con un golpe. ¿Qué hago?",
        "Lo sentimos. Elija 'llegó dañado' en la página del pedido y le enviamos otro {goods} sin coste.",
    ),
    Exchange(
        "¿El {goods} tiene garantía?",
        "Sí, dos años por defectos de material y de fabricación. El desgaste del {goods} por el uso no está incluido.",
    ),
    Exchange(
        "¿Puedo cambiar el color del {goods}?",
        "Sí, mientras no esté preparado para el envío. Abra el pedido y elija otro color para el {goods}.",
    ),
    Exchange(
        "¿Cómo limpio el {goods} sin estropearlo?",
        "Con un paño suave y seco. Para las manchas basta un poco de agua tibia; evite los productos agresivos.",
    ),
)


def english(count: int) -> list[Exchange]:
    return list(_filled(_ENGLISH, _GOODS, count))


def japanese(count: int) -> list[Exchange]:
    return list(_filled(_JAPANESE, _JAPANESE_GOODS, count))


def spanish(count: int) -> list[Exchange]:
    return list(_filled(_SPANISH, _SPANISH_GOODS, count))


def _filled(exchanges: Sequence[Exchange], goods: Sequence[str], count: int) -> Iterator[Exchange]:
    """Each question in turn, about one thing after another, so that no exchange repeats early."""
    for i in range(count):
        exchange = exchanges[i % len(exchanges)]
        thing = goods[(i // len(exchanges) + i * 3) % len(goods)]
        yield Exchange(exchange.question.format(goods=thing), exchange.answer.format(goods=thing))
