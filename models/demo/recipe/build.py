"""Make the demo model with one command: speak, train, write, evaluate.

    python -m recipe.build --minutes 48 --out ..

``--keep-net`` trains nothing and makes new graphs for new words; ``--evaluate-only`` only measures.
Nothing but the model is written to ``--out``.
"""

import argparse
import random
from pathlib import Path

from .bundle import read_phrases, write_language, write_metadata, write_model
from .corpus import RATE, Item, TextSource, speak_many
from .evaluate import evaluate
from .net import Schedule, Shape, train


def main() -> None:
    """The command line."""
    options = _parser().parse_args()
    if options.keep_net:
        write_language(options.out)
    elif not options.evaluate_only:
        items = speak_all(options.utterances, options.seed)
        trained = train(items, Shape(), Schedule(options.minutes, seed=options.seed))
        write_model(options.out, trained)
    write_metadata(options.out, evaluate(options.out, options.sentences, options.human))


def speak_all(utterances: int, seed: int) -> list[Item]:
    """The training speech: ``utterances`` of each language, from voices of the training set."""
    items: list[Item] = []
    for language, phrases in read_phrases().items():
        rng = random.Random(f"{language} {seed}")
        source = TextSource(phrases, language, rng)
        items += speak_many(source, language, utterances, rng)
    hours = sum(len(item.samples) for item in items) / RATE / 3600
    print(f"spoke {len(items)} utterances, {hours:.1f} hours", flush=True)
    return items


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0] if __doc__ else None)
    parser.add_argument("--out", type=Path, required=True, help="folder of the model")
    parser.add_argument("--minutes", type=float, default=48, help="of training, on one thread")
    parser.add_argument("--utterances", type=int, default=28_000, help="spoken per language")
    parser.add_argument("--sentences", type=int, default=300, help="per kind, in the evaluation")
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--human", type=Path, help="TSV of path, language, transcript to measure")
    parser.add_argument("--keep-net", action="store_true", help="only make new graphs")
    parser.add_argument("--evaluate-only", action="store_true", help="only measure")
    return parser


if __name__ == "__main__":
    main()
