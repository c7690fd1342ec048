"""The fixed phrases with which models decline, by language. Text is lower-case before it meets them.

``DECLINED``: cannot, will not, may not. ``NO_INFORMATION``: does not know, or the material is silent.
Gaps within a phrase never cross a sentence and are bounded, so matching is linear.
"""

# ruff: noqa: E501, RUF001 - one table of phrases in many scripts

_SOURCE = (
    r"(?:provided |given |available |retrieved |above |supplied )*(?:context|document|passage|text"
    r"|source|information|material|article|excerpt|content|search result|data)s?"
)
_NOT_ABLE = (
    r"(?:can(?:no|')t|can not|could ?n[o']t|couldn't|am not able to|'m not able to|am unable to"
    r"|'m unable to|won't|will not|must decline to|have to decline to|am not allowed to"
    r"|am not permitted to|'m not allowed to|'m not permitted to|do ?n[o']t feel comfortable|don't)"
)
_ADVERBS = (
    r"(?:\s+(?:really|currently|directly|safely|legally|ethically|actually|in good conscience))*"
)
_HELPING = (
    r"(?:help|assist|comply|provide|answer|fulfil|fulfill|support|discuss|engage|share|give|offer"
    r"|create|generate|write|do that|do this|process|continue|find|locate|determine|access"
    r"|recommend(?! \w+ (?:enough|more|highly))|advise|respond|participate|complete|confirm|verify|tell you|say)"
)
_SORRY = r"(?:i'm|i am|we're|we are)?\s*(?:very |so |really )?(?:sorry|afraid)"

DECLINED = {
    "en": (
        rf"\b(?:i|we){_ADVERBS}\s*{_NOT_ABLE}{_ADVERBS}\s+{_HELPING}\b",
        rf"\b{_SORRY}\b[^.!?\n]{{0,20}}\b(?:i|we)\s*{_NOT_ABLE}\b",
        r"\b(?:i|we) (?:must|have to|need to|will have to) (?:respectfully |politely )?"
        r"(?:decline|refuse)\b",
        r"\bas an ai(?: language model| assistant)?,? i (?:can't|cannot|don't|do not|am not)\b",
        r"\bthis request (?:violates|goes against|is against)\b",
    ),
    "de": (
        r"\b(?:ich|wir) (?:kann|können|darf|dürfen)\b[^.!?\n]{0,60}\b(?:nicht|keine?n?)\b[^.!?\n]"
        r"{0,60}\b(?:helfen|beantworten|bereitstellen|weiterhelfen|unterstützen|geben|erfüllen)\b",
        r"\b(?:tut mir leid|bedaure|bedauere)\b[^.!?\n]{0,40}\b(?:kann|darf)\b[^.!?\n]{0,60}\bnicht\b",
    ),
    "fr": (
        r"\bje (?:ne|n')\s*(?:peux|puis|suis)\b[^.!?\n]{0,30}\b(?:pas|en mesure)\b[^.!?\n]{0,40}"
        r"\b(?:aider|répondre|fournir|assister|donner|satisfaire)\b",
        r"\bje suis désolée?\b[^.!?\n]{0,30}\bje ne (?:peux|puis) pas\b",
    ),
    "es": (
        r"\bno (?:puedo|podemos)\b[^.!?\n]{0,20}\b(?:ayudar|responder|proporcionar|brindar|cumplir"
        r"|asistir|ofrecer)",
        r"\blo siento\b[^.!?\n]{0,30}\bno puedo\b",
    ),
    "pt": (
        r"\bnão (?:posso|podemos|consigo)\b[^.!?\n]{0,20}\b(?:ajudar|responder|fornecer|atender"
        r"|auxiliar|oferecer)",
        r"\b(?:desculpe|sinto muito|lamento)\b[^.!?\n]{0,30}\bnão (?:posso|consigo)\b",
    ),
    "it": (
        r"\bnon (?:posso|possiamo|sono in grado di)\b[^.!?\n]{0,20}\b(?:aiutar|risponder|fornir"
        r"|assister|soddisfare)",
        r"\bmi dispiace\b[^.!?\n]{0,30}\bnon posso\b",
    ),
    "nl": (
        r"\bik (?:kan|mag)\b[^.!?\n]{0,40}\bniet\b[^.!?\n]{0,40}\b(?:helpen|beantwoorden|geven"
        r"|verstrekken)\b",
    ),
    "pl": (r"\bnie mogę\b[^.!?\n]{0,20}\b(?:pomóc|odpowiedzieć|udzielić|dostarczyć|spełnić)\b",),
    "ru": (
        r"\bя не (?:могу|можем)\b[^.!?\n]{0,20}\b(?:помочь|ответить|предоставить|выполнить)\b",
        r"\bк сожалению,? (?:я )?не могу\b",
    ),
    "zh": (
        r"(?:抱歉|对不起|對不起|很遗憾)[^。！？\n]{0,12}(?:我|本)?[^。！？\n]{0,4}(?:无法|無法|不能|不便)",
        r"我(?:无法|無法|不能)(?:回答|提供|协助|協助|帮助|幫助|满足)",
    ),
    "ja": (
        r"(?:申し訳(?:ありません|ございません)|すみません|恐れ入りますが)[^。\n]{0,60}"
        r"(?:できません|できかねます|お答えできません|いたしかねます)",
        r"(?:お答え|お手伝い|回答|ご提供|提供)(?:することは|は)?(?:できません|できかねます)",
    ),
    "ko": (
        r"(?:죄송(?:합니다|하지만)|유감)[^.\n]{0,60}(?:수 없습니다|어렵습니다|드릴 수 없)",
        r"(?:도와드릴|답변드릴|제공해 드릴|답변할|제공할) 수 없습니다",
    ),
}  # fmt: skip

NO_INFORMATION = {
    "en": (
        r"\b(?:i|we) (?:do ?n[o']t|don't) (?:currently )?(?:have|possess) (?:any |enough |sufficient "
        r"|specific |the |access to |that |this |much |relevant |more |further |up-to-date |real-time "
        r"|information|details|data)",
        r"(?:^|[.!] |sorry,? |but |unfortunately,? )(?:i|we) (?:do ?n[o']t|do n't|don't) (?:actually |really )?know"
        r"\b(?=\s*(?:[.,!]|$|the|that|enough|if|how|what|which|who|whether|anything))",
        r"\b(?:i|we) (?:could ?n[o']t|couldn't|can(?:no|')t|can not|did ?n[o']t|didn't"
        r"|was unable to|am unable to|was not able to) (?:find|locate|see)\b[^.!?\n]{0,60}"
        r"\b(?:information|answer|mention|details?|anything|data|documents?|records?|context)\b",
        rf"\b(?:the|this|these|your|any of the) {_SOURCE}(?: (?:you )?(?:provided|given|supplied"
        r"|i have|available|above))?"
        r"[^.!?\n]{0,40}\b(?:(?:does|do|did)(?: not|n't)|fails? to|lacks?|is silent on)\b\s*"
        r"(?:explicitly |specifically |directly |actually |seem to |appear to )*"
        r"(?:contain|mention|provide|include|specify|say|state|address|answer|discuss|cover|give"
        r"|have|offer|any|enough|information)",
        r"\b(?:there is|there's|there are|i see|i find) (?:no|not (?:any|enough)|insufficient)\b"
        r"[^.!?\n]{0,50}\b(?:information|mention|answer|details?|data|evidence|reference)\b"
        r"[^.!?\n]{0,40}\b(?:in|within|from|to answer|available|provided|about)\b",
        r"\b(?:the answer|that|this|it) (?:is|was)(?: not|n't) (?:provided|mentioned|stated|included"
        r"|specified|available|found|covered|given) (?:in|within|by) (?:the|this|these|any)\b",
        rf"\b(?:based on|from|according to|given) the {_SOURCE}(?: (?:provided|given|available))?,? "
        r"(?:i|we|it) (?:can(?:no|')t|can not|is not possible to|isn't possible to|am unable to"
        r"|do not|don't|is impossible to)\b",
        r"\bno (?:relevant |specific )?(?:information|answer|data|documents?|results?) "
        r"(?:is |was |were |are |could be )?(?:available|found|provided)\b",
    ),
    "de": (
        r"\b(?:ich|wir) (?:habe|haben) (?:leider |dazu |darüber |hierzu )*keine (?:[a-zäöü]+ )?"
        r"(?:informationen|angaben|daten)",
        r"\bich weiß (?:es |das |leider )*nicht\b",
        r"\b(?:dokumente?n?|kontext|texte?n?|quellen?|informationen)\b[^.!?\n]{0,60}\b(?:enthält"
        r"|enthalten|nennt|nennen|liefert|liefern|geht|gehen)\b[^.!?\n]{0,50}\b(?:keine?n?|nicht)\b",
    ),
    "fr": (
        r"\bje (?:ne|n')\s*(?:dispose|ai|possède) (?:malheureusement )?(?:pas|d'aucune|aucune)\b",
        r"\bje ne sais (?:malheureusement )?pas\b",
        r"\b(?:contexte|documents?|textes?|sources?|informations?)\b[^.!?\n]{0,50}\bne? ?(?:contien"
        r"|mentionn|fourni|précis|indiqu)[^.!?\n]{0,20}\b(?:pas|aucune?)\b",
    ),
    "es": (
        r"\bno (?:tengo|dispongo de|cuento con) (?:suficiente |la |esa |acceso |información|datos)",
        r"\bno (?:lo )?sé\b(?=[ .,;!?]|$)",
        r"\b(?:contexto|documentos?|textos?|fuentes?|información)\b[^.!?\n]{0,50}\bno (?:contiene"
        r"|menciona|proporciona|incluye|especifica|ofrece)",
    ),
    "pt": (
        r"\bnão (?:tenho|disponho de) (?:informaç|dados|acesso|conhecimento)",
        r"\b(?:eu )?não sei\b(?=[ .,;!?]|$)",
        r"\b(?:contexto|documentos?|textos?|fontes?)\b[^.!?\n]{0,50}\bnão (?:cont[éê]m|menciona"
        r"|fornece|inclui|especifica)",
    ),
    "it": (
        r"\bnon (?:ho|dispongo di) (?:informazioni|dati|accesso|abbastanza|sufficienti)",
        r"\bnon lo so\b",
        r"\b(?:contesto|documenti?|test[oi]|font[ei])\b[^.!?\n]{0,50}\bnon (?:contien|contengono"
        r"|menzion|fornisc|include)",
    ),
    "nl": (
        r"\bik (?:heb|beschik)\b[^.!?\n]{0,30}\b(?:geen|niet over)\b[^.!?\n]{0,20}\binformatie\b",
        r"\bik weet het niet\b",
    ),
    "pl": (r"\bnie (?:mam|posiadam)\b[^.!?\n]{0,20}\b(?:informacji|danych)\b", r"^nie wiem\b"),
    "ru": (
        r"\bу меня нет\b[^.!?\n]{0,30}\b(?:информации|данных|доступа|сведений)\b",
        r"^(?:я )?не знаю\b",
        r"\b(?:контексте?|документах?|тексте?|источниках?)\b[^.!?\n]{0,40}\bне (?:содержит|указан"
        r"|упомина|говорится)",
    ),
    "zh": (
        r"(?:我|本)?(?:没有|沒有|缺乏)(?:足够|足夠|相关|相關|任何)?(?:的)?(?:信息|資訊|资料|資料|数据)",
        r"^我不知道",
        r"(?:上下文|文档|文檔|文件|资料|資料|内容|信息)[^。！？\n]{0,12}(?:没有|沒有|未)(?:提供|提到|包含|提及|说明)",
    ),
    "ja": (
        r"(?:情報|記載|データ)(?:が|は)(?:ありません|見つかりません(?:でした)?|含まれていません|ございません)",
        r"(?:わかりません|分かりません)(?:でした)?(?:。|$)",
    ),
    "ko": (
        r"(?:정보|내용|자료)(?:가|는|이|은) (?:없습니다|포함되어 있지 않습니다|제공되지 않)",
        r"(?:알 수 없습니다|모르겠습니다)",
    ),
}  # fmt: skip

CUES = {
    "en": (
        "not", "n't", "no ", "unable", "fail", "lack", "sorry", "afraid", "decline", "refuse",
        "silent", "insufficient", "violates", "against",
    ),
    "de": ("nicht", "kein"),
    "fr": (" ne ", "n'", "désol"),
    "es": ("no ", "lo siento"),
    "pt": ("não",),
    "it": ("non ", "dispiace"),
    "nl": ("niet", "geen"),
    "pl": ("nie ",),
    "ru": ("не",),
    "zh": ("抱歉", "不", "没", "沒", "未", "无法", "無法", "缺乏", "遗憾"),
    "ja": ("ません", "できかねます"),
    "ko": ("없", "않", "모르", "어렵"),
}  # fmt: skip
"""Every phrase of a language holds one of its cues: most answers hold none, and cost nothing."""
