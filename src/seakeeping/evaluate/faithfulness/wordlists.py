"""Small closed word lists: function words of some languages, number words, polarity and quantity.

Written for this project. They need not be complete: a function word that is missing counts as a
content word, which nearly every context holds too.
"""

# ruff: noqa: RUF001, SIM905 - word lists read best as text

_STOP = {
    "en": """
        a an the and or but nor so yet if then else than that this these those there here it its
        he she they them their theirs his her hers him we us our ours you your yours i me my
        mine who whom whose which what when where why how is are was were be been being am do
        does did done doing have has had having will would shall should can could may might must
        ought of in on at by for with about against between into through during before after
        above below to from up down out off over under again further once as until while because
        also just very too more most some any each both such own same other another not no nor
        only even still however therefore thus hence although though since upon within without
        among per via etc let get got one's it's i'm don't s t re ve ll d m many much every
        either neither whether like including include includ us make made""",
    "de": """
        der das den dem des ein eine einen einem einer eines und oder aber nicht ist sind waren
        wird werden wurde wurden haben hatte mit von zu zum zur im in am an auf aus bei für als
        auch es er sie wir ihr ich du sich wie dass daß durch nach über unter um vor kann""",
    "fr": """
        le la les un une des du de et ou mais ne pas est sont était être a ont avait avec pour
        par dans en sur sous au aux ce cet cette ces il elle ils elles nous vous je tu se que
        qui dont où plus comme sa ses leur leurs l d qu n s c j""",
    "es": """
        el la los las un una unos unas de del y o pero no es era ser ha han había con por para
        en sobre al a que quien se su sus lo le les como más este esta estos estas ese esa muy
        ya""",
    "it": """
        il lo la i gli le un uno una di del della dei delle e o ma non è sono era essere ha
        hanno con da dal dalla in nel nella su al alla che chi si suo sua loro più questo questa""",
    "pt": """
        o a os as um uma uns umas de do da dos das e ou mas não é são era ser tem têm com por
        para em no na nos nas ao à que quem se seu sua seus suas como mais este esta isso""",
    "nl": """
        de het een en of maar niet is zijn was waren wordt worden heeft hebben had met van voor
        door in op aan uit bij te om als ook dat dit deze hij zij wij je ik er naar over""",
    "ru": """
        и в во не что он на я с со как а то все она так его но да ты к у же вы за бы по ее мне
        было вот от меня о из ему ли если или быть был была были это этот эта""",
}  # fmt: skip

_NUMBERS = (
    "zero one two three four five six seven eight nine ten eleven twelve thirteen fourteen fifteen "
    "sixteen seventeen eighteen nineteen twenty"
).split()

NUMBER_WORDS: dict[str, str] = {word: str(value) for value, word in enumerate(_NUMBERS)} | {
    word: str(10 * tens)
    for tens, word in enumerate("thirty forty fifty sixty seventy eighty ninety".split(), start=3)
}
"""Digits by number word, for words that are seldom anything else."""
NUMBER_WORDS.pop("one")

NEGATIONS = frozenset(
    "not no never none neither nor without nobody nothing nowhere nicht kein keine nie pas jamais "
    "aucun nunca ningún niente nessun mai não nunca niet geen nooit не нет никогда".split()
)
"""Words that turn a statement round."""

POLARITY = frozenset(
    "all every always only never most majority minority half double twice least first last before "
    "after more less fewer higher lower increase increased decrease decreased rise fall fell up "
    "rose down above below over under win won lose lost best worst large larger largest small "
    "smaller smallest greatest oldest youngest high low start end begin began open close approve "
    "reject accept deny".split()
)
"""Words of quantity, order and direction: small, and they change the claim."""

MONTHS = {
    month: str(number)
    for number, month in enumerate(
        (
            "january february march april may june july august september october november december"
        ).split(),
        start=1,
    )
}
"""The number of each month, as a date in digits writes it."""

STOP_WORDS = frozenset(word for text in _STOP.values() for word in text.split())
"""Function words."""
