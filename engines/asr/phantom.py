"""What Whisper hears where nobody spoke: the sentences that end videos, and loops. Pure."""

from __future__ import annotations

import re

from engines.asr.whisper import Heard

# Learned from subtitles of silence; said by people too, so they are doubted only where the model does.
PHANTOMS = frozenset(
    {
        *(
            "you",
            "thank you",
            "thanks",
            "thank you very much",
            "thanks for watching",
            "bye",
            "bye bye",
            "okay",
        ),
        *("thank you for watching", "please subscribe", "subscribe", "see you next time", "i'm sorry", "oh"),
        *("so", "the", "hmm", "mm", "uh", "um", "music", "applause", "laughter", "silence"),
    }
)
NOTES = re.compile(r"\[[^\]]*\]|\([^)]*\)|\*[^*]*\*|♪[^♪]*♪?")  # [Music], (laughs): sounds, not words
OPEN = re.compile(
    r"\b(?:and|or|but|because|if|the|an?|my|your|our|their|of|to|from|than|very|um+|uh+|er+"
    r"|(?:i|we) (?:just |really )?(?:think|guess|mean|want|need|wonder)|you know)[.!]$",
    re.IGNORECASE,
)
DOUBTFUL, HOPELESS = -0.55, -1.1  # mean log probability of a token
NOBODY = 0.6  # probability that there was no speech
LOOP = 2.4
FEW, SURE = 4, -0.85  # words; for it, of 54 interruptions (9 voices) 4 were told 0.5 s later, 2 at their end


def believed(heard: Heard, voiced_s: float) -> str:
    """The words that somebody said, "" where nobody did. `voiced_s`: seconds of voice in the sound."""
    text = " ".join(NOTES.sub(" ", heard.text).split())
    bare = re.sub(r"[^a-z' ]", "", text.lower()).strip()
    if not any(c.isalnum() for c in text):
        return ""
    if heard.repeats > LOOP or heard.sure < HOPELESS:
        return ""
    if heard.nothing > NOBODY and heard.sure < DOUBTFUL:
        return ""
    if bare in PHANTOMS and (heard.sure < DOUBTFUL or voiced_s < 0.1 * len(bare)):
        return ""
    return text


def early(heard: Heard, voiced_s: float) -> str:
    """The same before the utterance is over. What is told then stops who speaks, and laughter and humming are
    heard as a few words that the model is not sure of: these wait for more of them, or for the end."""
    text = believed(heard, voiced_s)
    return "" if len(text.split()) <= FEW and heard.sure < SURE else text


def complete(text: str) -> bool:
    """Whether the words sound finished. Whisper punctuates by meaning and melody, and a full stop is often
    the pause itself: words that no sentence ends with are open behind one too. What is asked is asked.
    """
    if text.endswith(("?", "?!")):
        return True
    return text.endswith((".", "!")) and not text.endswith("..") and not OPEN.search(text)
