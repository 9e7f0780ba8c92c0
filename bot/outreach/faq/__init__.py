"""Finding the answer to what people really type: guards first, then small talk, then expansion, then matching.

    from bot.outreach.faq.engine import Answerer
    verdict = Answerer(pack.faq, pack.facts, today).ask("quen mk vneid")

Build one `Answerer` a day and a pack, then share it. It needs a fifth of a second, drops what
has expired and holds no state.

| file | decides |
|---|---|
| `engine` | answer, suggest or none: the only door |
| `guard` | secrets, harm to oneself or others, emergencies: which come before any answer |
| `smalltalk` | greetings and thanks, which are no questions |
| `expand` | abbreviations, teencode, dialect and broken Telex, turned into plain folded words |
| `index` | which entries are near: cosine over n-grams beside naive Bayes |
"""
