"""Questions that the bot could not answer, put to people: sent on, answered, given back, and learned from.

| file | decides |
|---|---|
| `screening` | what of a question may be sent on, and what an answer must not say |
| `asking` | whether a question is taken, and for which unit |
| `duty` | who is told, when, and who is next when nobody answers |
| `answering` | the first answer, its way back, clear or not |
| `likeness` | which questions ask the same |
| `entries` | what the bot should know from now on: proposed by one, published by another |
"""
