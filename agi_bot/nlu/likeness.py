"""How alike utterances are: the cosine of what the embedded interpreter looks at."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
import numpy.typing as npt

from agi_bot.nlu.features import extractor
from agi_bot.nlu.vectors import Vocabulary

Floats = npt.NDArray[np.float32]


def likeness(texts: Sequence[str], others: Sequence[str], language: str, common: Sequence[str] = ()) -> Floats:
    """Cosine (0..1) of each of ``texts`` (n) with each of ``others`` (m), shape (n, m).

    ``common`` is ordinary speech: what occurs in it often ("do you have") says little.
    """
    from agi_bot.nlu import ridge  # SciPy starts slowly

    cut = extractor(language)
    documents, other_documents = [cut(text) for text in texts], [cut(text) for text in others]
    vocabulary = Vocabulary.of([*documents, *other_documents, *map(cut, common)])
    rows = ridge.matrix([vocabulary.encode(document) for document in documents], len(vocabulary))
    columns = ridge.matrix([vocabulary.encode(document) for document in other_documents], len(vocabulary))
    return np.asarray((rows @ columns.T).toarray(), dtype=np.float32)
