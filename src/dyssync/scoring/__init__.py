"""An archive scored with a bundle: any number of ECGs in, Parquet shards out, a row an ECG."""

from dyssync.scoring.archive import Entry, Piece, pieces_of
from dyssync.scoring.run import Scored, score_archive
from dyssync.scoring.scorer import Asked

__all__ = ["Asked", "Entry", "Piece", "Scored", "pieces_of", "score_archive"]
