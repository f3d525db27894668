"""From an upload to answers: read apart, then measured, predicted and explained, one at a time."""

from __future__ import annotations

import threading
from collections.abc import Sequence
from datetime import UTC, datetime

from dyssync.ecg import ECG
from dyssync.errors import InputError
from dyssync.explanation.profiles import LeadProfiles, Onlookers
from dyssync.exports.case import Case, make_case
from dyssync.image import ECGImage, Input
from dyssync.inspection.findings import examine, measured_facts, picture_facts
from dyssync.inspection.place import Place, place_among
from dyssync.keeping import keeping
from dyssync.measurements import Measurements, measure
from dyssync.models.protocols import LooksAtPictures
from dyssync.models.rules import QRSArea
from dyssync.prediction.beside import TITLES, statements
from dyssync.prediction.bundle import Bundle
from dyssync.prediction.predictor import Prediction, Predictor
from dyssync.web.facts import with_facts
from dyssync.web.page_answer import PageAnswer
from dyssync.web.paper import read_paper
from dyssync.web.readers import Readers
from dyssync.web.refusals import Refused, without_content
from dyssync.web.uploads import Sent

NO_SIGNAL = "is a picture; a signal file is needed here. Models that take pictures can use it"


class Answers:
    """A bundle, ready to answer; threads compute one after the other.

    Networks keep what a hook hears in themselves, so two threads must not ask them at once.

    Args:
        bundle: opened.
        readers: of uploads.
        level: 80 or 90 %, at which the page says "defer".
    """

    def __init__(self, bundle: Bundle, readers: Readers, level: int = 80) -> None:
        self.bundle = bundle
        self.level = level
        self.digest = bundle.digest
        self.predictor = Predictor(bundle)
        self.onlookers = self._find_onlookers()
        self._readers = readers
        self._computing, self._digitising = threading.Lock(), threading.Lock()

    def _find_onlookers(self) -> Onlookers | None:
        """Return the networks whose look is shown: those of the best graded model that has some."""
        for name in self.bundle.best_first:
            members = self.predictor.models[name].usual.models
            looking = [one for one in members if isinstance(one, LooksAtPictures)]
            if len(looking) == len(members):
                return Onlookers(name, looking)
        return None

    def read(self, sent: Sent) -> Input:
        """Return the recording or picture in an upload, with the clinical facts sent along.

        Raises:
            Refused: it cannot be read, or a fact cannot be.
        """
        return with_facts(self._readers.read(sent.upload), sent.facts)

    def predict(self, read: Input) -> Prediction:
        """Return what all models say.

        Raises:
            Refused: 422, none can say anything of it.
        """
        with self._computing:
            return self._predict(read)

    def _predict(self, read: Input, names: Sequence[str] | None = None) -> Prediction:
        try:
            return self.predictor.predict(read, names)
        except InputError as error:
            raise Refused(422, without_content(str(error))) from error

    def case(self, read: Input) -> Case:
        """Return the one answer as exports take it: of the model that gives it alone.

        Raises:
            Refused: 422, none can say anything of it.
        """
        with self._computing, keeping():
            one = self.predictor.answering(read)
            found = self._predict(read, None if one is None else [one])
            return make_case(read, found, self.bundle, datetime.now(UTC))

    def inspect(self, read: Input) -> dict[str, object]:
        """Return what the upload holds, as JSON can hold it."""
        if not isinstance(read, ECG):
            return picture_facts(read)
        with self._computing:
            return examine(read).to_dict()

    def measure(self, read: Input) -> dict[str, object]:
        """Return the measurements, as JSON can hold them.

        Raises:
            Refused: 422, it is a picture.
        """
        if not isinstance(read, ECG):
            raise Refused(422, NO_SIGNAL)
        with self._computing:
            found: Measurements = measure(read)
        return measured_facts(found)

    def page(self, read: Input) -> PageAnswer:
        """Return all that the page shows; what models refuse is still shown and measured."""
        if not isinstance(read, ECG):
            return self._page_of_picture(read)
        with self._computing, keeping():
            prediction, refused = self._said(read)
            places = {} if prediction is None else self._places(read, prediction)
            found = examine(read)
            seen = self._look(read, prediction) if found.heartbeat is not None else None
            rules = {TITLES[name]: said for name, said in statements(read).items()}
            return PageAnswer(read, found, prediction, refused, rules, seen, places)

    def _page_of_picture(self, image: ECGImage) -> PageAnswer:
        with self._digitising:  # of others, signals are answered meanwhile
            paper = read_paper(image)
        with self._computing:
            prediction, refused = self._said(image)
        return PageAnswer(image, None, prediction, refused, {}, None, {}, paper)

    def _said(self, read: Input) -> tuple[Prediction | None, str]:
        """Return what the models say, or why they do not."""
        try:
            return self._predict(read), ""
        except Refused as error:
            return None, error.text

    def _places(self, ecg: ECG, prediction: Prediction) -> dict[str, Place]:
        """Return where a patient lies by the model that answers, and by QRS area."""
        by = {} if prediction.answer is None else {prediction.answer: prediction.answer}
        for name in prediction.models:
            rule = self.predictor.models[name].usual.models[0]
            if isinstance(rule, QRSArea) and not rule.cutoff:
                by["QRS area"] = name
        found = {}
        for title, name in by.items():
            members, _ = self.predictor.models[name].who(ecg)
            place = place_among(members.fit, members.logits([ecg])[0])
            if place is not None:
                found[title] = place
        return found

    def _look(self, ecg: ECG, prediction: Prediction | None) -> LeadProfiles | None:
        if self.onlookers is None or prediction is None:
            return None
        said = prediction.models[self.onlookers.name]
        return self.onlookers.look(ecg, response=said.probability >= prediction.base_rate)

    def warm_up(self, ecg: ECG) -> None:
        """Answer once for nobody, so that the first patient does not wait for what loads late."""
        self.page(ecg)

    def end(self) -> None:
        """End the reading processes."""
        self._readers.end()
