"""The gateway asks the home: "are you all right?", and, on its days, for a test press of the SOS button.

The prompt is a message to the home's broker (a loudspeaker, a lamp); a press within the time is the answer. What is
taken as an answer is kept from being a call for help, so it is taken narrowly: one press, while the question stands.
Pressing again is a call. A press of SOS answers "all right" only in homes that have no other button and agreed to it;
everywhere else it is both: the answer "help", and the call that it always is.

An answer is a reading of the urgent lane whose value is the command's id: durable, sent until it is stored, once.
"""

from datetime import datetime, timedelta
from pathlib import Path
from typing import Final
from zoneinfo import ZoneInfo

import msgspec
import structlog

from core.configuration import Configuration, Publication
from core.model import DeviceKind, Reading
from core.wire import Command, CommandKind, from_ms, to_ms
from gateway.folder import read_struct, write_whole

SELF: Final = "gateway"
SAME_PRESS: Final = timedelta(seconds=5)  # one press may be sent several times
KEPT: Final = 200  # ids of commands that were obeyed
MOST_AHEAD: Final = timedelta(days=1)


class _Question(msgspec.Struct):
    """A question that stands, with the times in ms. `id` 0: a test that the gateway asked for by itself."""

    id: int
    test: bool
    since: int
    until: int
    buttons: list[str] = []  # whose press is still waited for
    pressed: dict[str, int] = {}  # button -> when its press was taken


class _Memory(msgspec.Struct):
    """What survives a restart, so that no command is obeyed twice and no question left without an answer."""

    obeyed: list[int] = []
    questions: list[_Question] = []
    tested: str = ""  # the day of the last test that the gateway asked for by itself


class Said:
    """What comes of a step: messages to the home's broker, and readings.

    Attributes:
        refused: command id -> why it was not obeyed.
    """

    def __init__(self) -> None:
        self.publish: list[Publication] = []
        self.readings: list[Reading] = []
        self.refused: dict[int, str] = {}

    def say(self, publication: Publication | None) -> None:
        if publication is not None:
            self.publish.append(publication)

    def answer(self, metric: str, command: int, now: datetime) -> None:
        if command:
            self.readings.append(Reading(SELF, metric, now, float(command), now))


class Prompt:
    """The questions of one gateway. Not for several threads at once.

    Args:
        file: where it remembers.
    """

    def __init__(self, file: Path) -> None:
        self._file = file
        self._memory = read_struct(file, _Memory) or _Memory()
        self._configuration = Configuration()
        self._log = structlog.get_logger()

    def configure(self, configuration: Configuration) -> None:
        self._configuration = configuration

    def obey(self, command: Command, now: datetime, ahead: timedelta = timedelta()) -> Said:
        """Takes a command, once; what was obeyed before does nothing.

        Args:
            ahead: how far the platform's clock, by which a command grows old, is ahead of the home's.
        """
        said = Said()
        if command.id in self._memory.obeyed:
            return said
        why = self._why_not(command, now + ahead)
        self._memory.obeyed = [*self._memory.obeyed, command.id][-KEPT:]
        if why is not None:
            said.refused[command.id] = why
            said.answer("command_refused", command.id, now)
        else:
            self._ask(said, command.id, CommandKind(command.kind), command.seconds, now)
        self._save()
        return said

    def take(self, readings: list[Reading], now: datetime) -> tuple[list[Reading], Said]:
        """Takes presses as answers. Returns the readings as they shall be stored, and what comes of it."""
        said = Said()
        if not self._memory.questions:
            return readings, said
        kept: list[Reading] = []
        for reading in readings:
            kept.append(self._press(reading, now, said))
        return kept, said

    def tick(self, now: datetime, true_now: datetime | None) -> Said:
        """Ends questions whose time is over, and asks for the test that is due. To be called about each second.

        Args:
            true_now: by the platform's clock; None while it is not known: nobody shall be asked at night because the
                box woke up in another year.
        """
        said = Said()
        over = [question for question in self._memory.questions if not self._stands(question, now)]
        for question in over:
            self._memory.questions.remove(question)
            if not question.pressed:
                said.answer("answer_none", question.id, now)
        today = None if true_now is None else self._test_day(true_now)
        if today is not None:
            self._memory.tested = today
            self._ask(said, 0, CommandKind.TEST, self._configuration.tests.seconds, now)
        if over or today:
            self._save()
        return said

    def _why_not(self, command: Command, now: datetime) -> str | None:
        prompts = self._configuration.prompts
        if to_ms(now) > command.expires:
            return "it came after its deadline"
        if from_ms(command.created) - now > MOST_AHEAD:
            return "it was made in the future: one of the clocks is wrong"
        if command.kind not in CommandKind.__members__.values():
            return f"this gateway does not know the command {command.kind!r}: update it"
        if command.kind == CommandKind.ASK and prompts.ask is None:
            return "this home has no prompt: set options.prompts.ask in the register"
        if command.kind == CommandKind.TEST and prompts.test is None:
            return "this home has no prompt for a test: set options.prompts.test in the register"
        if command.kind == CommandKind.TEST and not self._buttons():
            return "no SOS button is registered in this home"
        return None

    def _ask(self, said: Said, command: int, kind: CommandKind, seconds: int, now: datetime) -> None:
        test = kind is CommandKind.TEST
        until = now + timedelta(seconds=seconds)
        question = _Question(command, test, to_ms(now), to_ms(until), self._buttons() if test else [])
        self._memory.questions.append(question)
        said.say(self._configuration.prompts.test if test else self._configuration.prompts.ask)
        said.readings += [Reading(button, "test_asked", now, 1.0, now) for button in question.buttons]
        self._log.info("home_asked", command=command, kind=kind.value, seconds=seconds)

    def _press(self, reading: Reading, now: datetime, said: Said) -> Reading:
        """The reading, or what it is when it answers a question."""
        if reading.metric not in ("sos", "ok_press") or reading.value != 1:
            return reading
        for question in self._memory.questions:
            if not self._stands(question, now) or to_ms(reading.time) < question.since:
                continue
            if reading.metric == "ok_press":
                if not question.test and not question.pressed:
                    self._answered(question, reading.device, "answer_ok", now, said)
                return reading
            if question.test:
                if self._first(question, reading.device, now, said):
                    return msgspec.structs.replace(reading, metric="sos_test")
            elif self._configuration.prompts.sos_is_ok:
                if self._first(question, reading.device, now, said):
                    return msgspec.structs.replace(reading, metric="ok_press")
            elif not question.pressed:
                self._answered(question, reading.device, "answer_help", now, said, thanks=False)
        return reading

    def _first(self, question: _Question, button: str, now: datetime, said: Said) -> bool:
        """Whether this is the one press of the button that is the answer, or that press sent again."""
        before = question.pressed.get(button)
        if before is not None:
            return timedelta() <= now - from_ms(before) < SAME_PRESS
        if question.test and button not in question.buttons:
            return False
        if not question.test and question.pressed:
            return False
        self._answered(question, button, "answer_ok", now, said)
        return True

    def _answered(
        self, question: _Question, button: str, metric: str, now: datetime, said: Said, *, thanks: bool = True
    ) -> None:
        if not question.pressed:
            said.answer(metric, question.id, now)
        question.pressed[button] = to_ms(now)
        if thanks:
            said.say(self._configuration.prompts.thanks)
        self._save()

    def _stands(self, question: _Question, now: datetime) -> bool:
        """Whether the question still waits. A clock that was set back does not leave it standing for ever."""
        return question.since - 60_000 <= to_ms(now) < question.until

    def _test_day(self, now: datetime) -> str | None:
        """The local day on which a test is due now, or None."""
        tests = self._configuration.tests
        if not tests.days or self._configuration.prompts.test is None or not self._buttons():
            return None
        local = now.astimezone(ZoneInfo(self._configuration.zone))
        today = local.date().isoformat()
        due = local.day in tests.days and local.hour == tests.hour and today != self._memory.tested
        return today if due else None

    def _buttons(self) -> list[str]:
        return [device.address for device in self._configuration.devices if device.kind == DeviceKind.SOS]

    def _save(self) -> None:
        """Written before anything is said: a gateway that is cut off here does not obey twice."""
        try:
            write_whole(self._file, msgspec.json.encode(self._memory))
        except OSError as error:
            self._log.error("commands_not_kept", error=str(error))
