"""Finding the answer to what people really type: guards first, then small talk, then expansion, then matching.

    from bot.outreach.faq.engine import Answerer
    verdict = Answerer(pack.faq, pack.facts, today, pack.hints).ask("quen mk vneid")

Build one `Answerer` a day and a pack, then share it. It drops what has expired and keeps nothing of what is asked.

| file | decides |
|---|---|
| `engine` | answer, suggest or none: the only door |
| `guard` | secrets, harm to oneself or others, emergencies: which come before any answer |
| `smalltalk` | greetings and thanks, which are no questions |
| `expand`, `shorthand` | abbreviations, teencode, dialect and broken Telex, turned into plain folded words |
| `repair` | slips of the finger and forgotten spaces, put right towards words that the pack knows |
| `concepts` | words that mean one thing here, from `synonyms.yaml` |
| `features` | what a text is made of, and what each part weighs |
| `index` | what speaks for each entry, and for each subject of `out_of_scope.yaml` |
| `judgement` | how probable each of them is, and that it is none |
"""
