"""From an upload to answers: read apart, then measured, predicted and explained, one at a time."""

from __future__ import annotations

import threading
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from datetime import UTC, datetime

from dyssync.ecg import ECG
from dyssync.errors import InputError
from dyssync.explanation.profiles import LeadProfiles
from dyssync.exports.case import Case, make_case
from dyssync.image import ECGImage, Input, ecg_of
from dyssync.inspection.findings import examine, measured_facts, page_facts
from dyssync.inspection.place import Place, place_among
from dyssync.keeping import keeping
from dyssync.measurements import Measurements, measure
from dyssync.prediction.beside import TITLES, statements
from dyssync.prediction.bundle import Bundle
from dyssync.prediction.pictures import asked_about
from dyssync.prediction.predictor import Prediction, Predictor
from dyssync.web.asking import Asking
from dyssync.web.facts import with_facts
from dyssync.web.memory import give_back
from dyssync.web.page_answer import PageAnswer
from dyssync.web.paper import read_paper
from dyssync.web.readers import Readers
from dyssync.web.refusals import Refused, without_content
from dyssync.web.uploads import Sent

LONGEST_WAIT_S = 20.0  # for pictures before to be read off, some 10 pages of 300 dpi (chosen)
BUSY = "other pictures are being read off; try again in a minute"


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
        self.asking = Asking(self.predictor)
        self._readers = readers
        self._computing, self._digitising = threading.Lock(), threading.Lock()

    def read(self, sent: Sent) -> Input:
        """Return the recording or picture in an upload, with the clinical facts sent along.

        Raises:
            Refused: it cannot be read, or a fact cannot be.
        """
        return with_facts(self._readers.read(sent.upload), sent.facts)

    def predict(self, read: Input, *, every: bool = True) -> Prediction:
        """Return what models say.

        Args:
            read: the recording.
            every: ask all models, or the one that gives the answer.

        Raises:
            Refused: 422, none can say anything of it.
        """
        whole = self._read_off(read)
        with self._computing:
            return self._predict(whole, None if every else self.asking.one(whole))

    def _read_off(self, read: Input) -> Input:
        """Return a picture with the ECG that it shows; signals are answered meanwhile."""
        if isinstance(read, ECG):
            return read
        with self._turn_to_digitise():
            return read_paper(read)[1]

    @contextmanager
    def _turn_to_digitise(self) -> Iterator[None]:
        """Wait for the pictures before, for one that takes long must not hold up all others.

        Raises:
            Refused: 503, they take too long.
        """
        if not self._digitising.acquire(timeout=LONGEST_WAIT_S):
            raise Refused(503, BUSY)
        try:
            yield
        finally:
            self._digitising.release()
            give_back()

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
        whole = self._read_off(read)
        with self._computing, keeping():
            found = self._predict(whole, self.asking.one(whole))
            return make_case(whole, found, self.bundle, datetime.now(UTC))

    def inspect(self, read: Input) -> dict[str, object]:
        """Return what the upload holds, as JSON can hold it."""
        whole = self._read_off(read)
        with self._computing:
            ecg = ecg_of(whole)
            found = None if ecg is None else examine(ecg)
            if isinstance(whole, ECGImage):
                return page_facts(whole, found)
            assert found is not None
            return found.to_dict()

    def measure(self, read: Input) -> dict[str, object]:
        """Return the measurements, as JSON can hold them.

        Raises:
            Refused: 422, it is a picture that cannot be read off.
        """
        whole = self._read_off(read)
        ecg = ecg_of(whole)
        if ecg is None:
            assert isinstance(whole, ECGImage)
            raise Refused(422, whole.unread)
        with self._computing:
            found: Measurements = measure(ecg)
        return measured_facts(found)

    def page(self, read: Input, *, every: bool = False) -> PageAnswer:
        """Return all that the page shows; what models refuse is still shown and measured.

        Args:
            read: the recording.
            every: ask all models, or those that the page shows at once.
        """
        if not isinstance(read, ECG):
            return self._page_of_picture(read, every=every)
        with self._computing, keeping():
            prediction, refused = self._said(read, every=every)
            places = {} if prediction is None else self._places(read, prediction)
            found = examine(read)
            seen = self._look(read, prediction) if found.heartbeat is not None else None
            rules = {TITLES[name]: said for name, said in statements(read).items()}
            return PageAnswer(read, found, prediction, refused, rules, seen, places, every=every)

    def _page_of_picture(self, image: ECGImage, *, every: bool) -> PageAnswer:
        with self._turn_to_digitise():
            paper, whole = read_paper(image)
        with self._computing, keeping():
            prediction, refused = self._said(whole, every=every)
            asked = asked_about(whole, self.bundle.about)
            places = {} if prediction is None else self._places(asked, prediction)
            found = None if whole.ecg is None else examine(whole.ecg)
            rules = {TITLES[name]: said for name, said in statements(whole).items()}
            return PageAnswer(whole, found, prediction, refused, rules, None, places, paper, every)

    def _said(self, read: Input, *, every: bool) -> tuple[Prediction | None, str]:
        """Return what the models say, or why they do not."""
        try:
            return self._predict(read, None if every else self.asking.shown(read)), ""
        except Refused as error:
            return None, error.text

    def _places(self, x: Input, prediction: Prediction) -> dict[str, Place]:
        """Return where a patient lies by the model that answers, and by QRS area."""
        by = {} if prediction.answer is None else {prediction.answer: prediction.answer}
        area = self.asking.area
        if area is not None and area in prediction.models:
            by["QRS area"] = area
        found = {}
        for title, name in by.items():
            members, _ = self.predictor.models[name].who(x)
            place = place_among(members.fit, members.logits([x])[0])
            if place is not None:
                found[title] = place
        return found

    def _look(self, ecg: ECG, prediction: Prediction | None) -> LeadProfiles | None:
        onlookers = self.asking.onlookers
        if onlookers is None or prediction is None:
            return None
        said = prediction.models[onlookers.name]
        return onlookers.look(ecg, response=said.probability >= prediction.base_rate)

    def warm_up(self, ecg: ECG) -> None:
        """Answer once for nobody, so that the first patient does not wait for what loads late."""
        self.page(ecg, every=True)

    def end(self) -> None:
        """End the reading processes."""
        self._readers.end()
