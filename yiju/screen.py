"""What a person at the terminal sees: bars while something takes long, sentences when something happens.

The bars are drawn without a thread of their own: this process starts children all the time (supervisor.py).
"""

from collections.abc import Callable, Iterator
from contextlib import contextmanager

from rich.console import Console
from rich.progress import BarColumn, Progress, TextColumn, TimeElapsedColumn

Step = Callable[[str], None]
Advance = Callable[[float, float], None]


class Screen:
    """Results go to standard output, all else to standard error."""

    def __init__(self, result: Console | None = None, remarks: Console | None = None) -> None:
        self._result = result or Console(soft_wrap=True, highlight=False)
        self._remarks = remarks or Console(stderr=True, soft_wrap=True, highlight=False)
        columns = (TextColumn("{task.description}"), BarColumn(), TimeElapsedColumn())
        self._bars = Progress(*columns, console=self._remarks, auto_refresh=False, transient=True)

    def say(self, line: str) -> None:
        """The result: one line."""
        self._result.print(line, markup=False)

    def tell(self, sentence: str) -> None:
        """Something happened: one line."""
        self._remarks.print(sentence, markup=False)

    @contextmanager
    def steps(self, total: int) -> Iterator[Step]:
        """A bar over `total` steps; call what it gives with the name of each step that begins."""
        with self._bars:
            task = self._bars.add_task("", total=total)

            def begin(name: str) -> None:
                self._bars.update(task, description=f"{name} …", advance=1)
                self._bars.refresh()

            yield begin
            self._bars.remove_task(task)

    @contextmanager
    def work(self, name: str) -> Iterator[Advance]:
        """A bar over one long piece of work within `steps`; call what it gives with (done, total)."""
        task = self._bars.add_task(f"{name} …", total=None)

        def advance(done: float, total: float) -> None:
            self._bars.update(task, completed=done, total=total)
            self._bars.refresh()

        yield advance
        self._bars.remove_task(task)

    @contextmanager
    def long_work(self, name: str) -> Iterator[Advance]:
        """The same for one piece of work that stands alone."""
        with self._bars, self.work(name) as advance:
            yield advance
